import { resolve } from 'node:path'
import type { Options } from 'yargs'
import type { Job } from '../job.js'
import { type ScheduleFlags, taskOptions } from './schedule-options.js'

/** Flags whose values are paths: where the words are read one is in another directory. */
const pathFlags = [
  'input',
  'hold',
  'api-key-file',
  'env-file',
  'runs-dir',
  'run-dir',
  'instances',
  'metrics-file',
]

/** `run`, the job and its flags, as they would be typed in any directory. */
export function scheduledWords(flags: ScheduleFlags, job: Job, directory: string): string[] {
  const declared: Record<string, Options> = taskOptions
  const named = Object.keys({ ...job.flags, ...declared })
  const whole = (name: string, value: unknown) =>
    pathFlags.includes(name) ? resolve(directory, String(value)) : String(value)
  return [
    'run',
    isPath(flags.job) ? resolve(directory, flags.job) : flags.job,
    ...named.flatMap((name) => {
      const value = (flags as Record<string, unknown>)[name]
      const values = value === undefined ? [] : Array.isArray(value) ? value : [value]
      return values.flatMap((one) => wordsOf(name, typeof one === 'boolean' ? one : whole(name, one)))
    }),
  ]
}

const isPath = (job: string) => /[/\\]|\.(c|m)?(j|t)s$/.test(job)

/** A value that looks like a flag, or like nothing, is tied to its own. */
function wordsOf(name: string, value: string | boolean): string[] {
  if (typeof value === 'boolean') return [`--${value ? '' : 'no-'}${name}`]
  return value === '' || value.startsWith('-') ? [`--${name}=${value}`] : [`--${name}`, value]
}
