import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parse } from 'csv-parse/sync'
import { afterAll, expect } from 'vitest'
import type { Summary } from '../../src/checkpoint/summary.js'

export { cannotTestHere } from '../cannot-test-here.js'

/** The real command, as it was built. `ADA_BULK_CLI` names another build. */
export const cliPath = resolve(process.env.ADA_BULK_CLI ?? 'dist/src/cli.js')
if (!existsSync(cliPath)) {
  throw new Error(
    `End-to-end tests start ${cliPath}, which is not there: build it first with \`npm run build\`.`,
  )
}

const closers: (() => unknown)[] = []
afterAll(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** Has something closed when the tests of the file are done. */
export function closeAtEnd(close: () => unknown): void {
  closers.push(close)
}

/** The key that tests use, unless the key is the subject. */
export const key = 'k3y-0f-the-end-to-end-tests'

/** A directory of a test's own, with runs, state and inputs in it, where the command can be started. */
export interface Place {
  directory: string
  runs: string
  state: string
  /** Writes a file, and says where it lies. */
  write(name: string, text: string | Uint8Array): string
  start(args: readonly string[], options?: StartOptions): Running
  /** Starts the command and waits for its end. */
  run(args: readonly string[], options?: StartOptions): Promise<Ended>
  /** The directory of the only run. */
  onlyRun(): string
}

export interface StartOptions {
  /** Added to the environment; undefined takes away. */
  environment?: Record<string, string | undefined>
  /** What comes on stdin; default: nothing, and it is closed. `open` leaves it to the test. */
  stdin?: string | 'open'
  directory?: string
  /** Makes another command of it: `bash -c 'ulimit …'`. */
  through?: (command: string[]) => string[]
}

export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export interface Running {
  pid: number
  child: ChildProcess
  readonly stdout: string
  readonly stderr: string
  kill(signal: NodeJS.Signals): void
  exited: Promise<Ended>
  /** Resolves when stderr or stdout has said it; rejects when the process ends without. */
  says(pattern: RegExp): Promise<void>
}

export function openPlace(): Place {
  const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-e2e-'))
  closeAtEnd(() => rmSync(directory, { recursive: true, force: true }))
  const runs = join(directory, 'runs')
  const state = join(directory, 'state')
  mkdirSync(state)
  const place: Place = {
    directory,
    runs,
    state,
    write(name, text) {
      const path = join(directory, name)
      writeFileSync(path, text)
      return path
    },
    start(args, options = {}) {
      const { environment, stdin = '', through = (command) => command } = options
      const [program, ...rest] = through([process.execPath, cliPath, ...args])
      const child = spawn(program!, rest, {
        cwd: options.directory ?? directory,
        stdio: 'pipe',
        env: {
          PATH: process.env.PATH,
          HOME: directory,
          TZ: 'UTC',
          NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
          ADA_API_KEY: key,
          ADA_BULK_RUNS: runs,
          ADA_BULK_STATE: state,
          ...environment,
        },
      })
      child.stdin.on('error', () => {})
      if (stdin !== 'open') child.stdin.end(stdin)
      return watch(child)
    },
    run: (args, options) => place.start(args, options).exited,
    onlyRun() {
      const names = existsSync(runs) ? readdirSync(runs) : []
      if (names.length !== 1)
        throw new Error(`not one run but ${names.length} in ${runs}: ${names.join(', ')}`)
      return join(runs, names[0]!)
    },
  }
  return place
}

function watch(child: ChildProcess): Running {
  let stdout = ''
  let stderr = ''
  child.stdout!.setEncoding('utf8').on('data', (text) => {
    stdout += text
  })
  child.stderr!.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  const exited = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
  closeAtEnd(() => child.kill('SIGKILL'))
  return {
    pid: child.pid!,
    child,
    get stdout() {
      return stdout
    },
    get stderr() {
      return stderr
    },
    kill: (signal) => void child.kill(signal),
    exited,
    says(pattern) {
      return new Promise((resolve, reject) => {
        const look = () => {
          if (pattern.test(stderr) || pattern.test(stdout)) resolve()
        }
        look()
        child.stderr!.on('data', look)
        child.stdout!.on('data', look)
        exited.then((ended) => reject(new Error(`ended without saying ${pattern}: ${JSON.stringify(ended)}`)))
      })
    },
  }
}

/** Looks again and again until something is true; a test that waits in vain fails by its time-out. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** True-to-life IDs, all different. `series` tells one list from another. */
export function conversationIds(count: number, series = 0): string[] {
  return Array.from(
    { length: count },
    (_, index) => `66f0b7${series.toString(16).padStart(2, '0')}${index.toString(16).padStart(16, '0')}`,
  )
}

export function csvOf(ids: readonly string[]): string {
  return `conversation_id\n${ids.map((id) => `${id}\n`).join('')}`
}

export const reportColumns = [
  'id',
  'status',
  'reason',
  'http_status',
  'attempts',
  'finished_at',
  'duration_ms',
  'message',
  'source',
  'line',
] as const

export type ReportRow = Record<(typeof reportColumns)[number], string>

/** The rows of a run's report.csv, read by a parser that is not ours. */
export function reportOf(runDirectory: string): ReportRow[] {
  return parse(readFileSync(join(runDirectory, 'report.csv')), { columns: true })
}

export function summaryOf(runDirectory: string): Summary {
  return JSON.parse(readFileSync(join(runDirectory, 'summary.json'), 'utf8'))
}

/** The lines of a run's checkpoint. */
export function checkpointOf(runDirectory: string): Record<string, unknown>[] {
  return readFileSync(join(runDirectory, 'checkpoint.jsonl'), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
}

/** One clear sentence or two for the person, exit code 2, no stack trace. */
export function expectRefusal(ended: Ended, ...words: (string | RegExp)[]): void {
  expect(ended).toMatchObject({ code: 2, signal: null, stdout: '' })
  expectNoStack(ended)
  const lines = ended.stderr.trim().split('\n')
  expect(lines.at(-1)).toMatch(/^ada-bulk: .+/)
  for (const word of words) expect(ended.stderr).toMatch(word)
}

export function expectNoStack({ stderr, stdout }: Ended): void {
  expect(stderr + stdout).not.toMatch(/\n {4}at /)
}
