import { resolve } from 'node:path'
import type { List } from './local-ada.js'
import type { Command } from './measured.js'

/** A list to be ended, as every tool is told. */
export interface Task {
  list: List
  url: string
  /** Where a tool may keep what it needs to resume. */
  directory: string
  /** At which limits: 30/s and so many in this span, or none. */
  limit: { max: number; perMs: number } | null
  /** Again over the same directory. */
  isResumed?: boolean
}

export interface Tool {
  name: string
  /** How it was told, in a few words: with the throttle, and without. */
  throttled: string
  unthrottled: string
  /** Null when it keeps no record that a second run could go on from. */
  resumed: string | null
  command(task: Task): Command
}

export const concurrency = 16

export const ours: Tool = {
  name: 'ada-bulk',
  throttled: '--share 100%',
  unthrottled: '--api-limit none',
  resumed: 'resume --accept-changed-input',
  command({ list, url, directory, limit, isResumed }) {
    const place = resolve(directory, 'run')
    const limits = limit === null ? ['none'] : ['30/s', `${limit.max}/${limit.perMs / 1000}s`]
    const task = isResumed
      ? ['resume', place, '--accept-changed-input']
      : ['run', 'end-conversations', '--input', list.csv, '--base-url', url, '--run-dir', place]
    const pacing = [...limits.flatMap((one) => ['--api-limit', one]), '--share', '100%']
    return adaBulk([...task, ...pacing, '--concurrency', String(concurrency), '--yes', '--quiet'], directory)
  },
}

/** `ada-bulk` with these words, and a state directory of its own. */
export function adaBulk(words: readonly string[], directory: string): Command {
  return {
    words: [process.execPath, resolve('dist/src/cli.js'), ...words],
    environment: { ADA_API_KEY: 'k', ADA_BULK_STATE: resolve(directory, 'state') },
  }
}
