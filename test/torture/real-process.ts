import { type ChildProcess, execFile } from 'node:child_process'
import { join, resolve } from 'node:path'
import type { World } from './world.js'

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

/** Starts the command with these words, perhaps with a longest file that it may write. */
export interface Command {
  (words: readonly string[], fileMaxKib?: number | null): { child: ChildProcess; ended: Promise<Ended> }
  /** Those that are still there. */
  killAll(): void
}

/** In a shell of its own, which may set limits first, and with a state directory of its own. */
export function startIn(directory: string, cliPath: string, key: string): Command {
  const environment = { PATH: process.env.PATH, HOME: directory, TZ: 'UTC', ADA_API_KEY: key }
  const env = { ...environment, ADA_BULK_STATE: join(directory, 'state') }
  const children = new Set<ChildProcess>()
  const command = (words: readonly string[], fileMaxKib: number | null = null) => {
    const limit = fileMaxKib === null ? '' : `ulimit -f ${fileMaxKib}; `
    let end: (ended: Ended) => void = () => {}
    const ended = new Promise<Ended>((resolve) => {
      end = resolve
    })
    const child = execFile(
      'bash',
      ['-c', `${limit}exec "$@"`, 'bash', process.execPath, resolve(cliPath), ...words],
      { cwd: directory, env },
      (_error, stdout, stderr) => {
        children.delete(child)
        end({ code: child.exitCode, stdout, stderr })
      },
    )
    children.add(child)
    return { child, ended }
  }
  return Object.assign(command, {
    killAll() {
      for (const child of children) child.kill('SIGKILL')
    },
  })
}

/** The words that begin a run over a list. */
export function beginning({ settings }: World, url: string, path: string, list: string): string[] {
  const { limits, share, concurrency, timeoutMs, attemptsMax } = settings
  const windows = limits === 'none' ? ['none'] : limits.map(({ max, perMs }) => `${max}/${perMs / 1000}s`)
  return [
    ...['run', 'end-conversations', '--input', list, '--hold', 'hold.csv', '--run-dir', path],
    ...['--base-url', url, '--yes', '--quiet', '--share', `${share * 100}%`],
    ...['--concurrency', `${concurrency}`, '--timeout', `${timeoutMs}ms`, '--attempts', `${attemptsMax}`],
    ...['--max-failures', '100%', ...windows.flatMap((window) => ['--limit', window])],
  ]
}
