import type { Summary } from '../checkpoint/summary.js'
import { withEnvFile } from '../settings/environment.js'
import { type InstanceRow, readInstances } from '../settings/instances-file.js'
import { UsageError } from '../system/errors.js'
import { counted, inDigits, shellWord } from '../system/text.js'
import type { Forecast } from './forecast.js'
import { relativePath } from './show.js'
import { exitCodeOf, Interrupted, type Terminal } from './terminal.js'

/** Flags that say for one run what the file says for each, or that only one can have. */
const takenByFile = [
  'input',
  'base-url',
  'handle',
  'region',
  'sandbox',
  'api-key-file',
  'run-dir',
  'plan',
  'output',
]

export interface InstancesFlags {
  instances: string
  json?: boolean | undefined
  quiet?: boolean | undefined
  progress?: string | undefined
  'env-file'?: string | undefined
  'metrics-file'?: string | undefined
}

/** What a command came to on one instance. */
interface EndedInstance<R> {
  row: InstanceRow
  exitCode: number
  /** Why it failed; null when it did not. */
  error: string | null
  /** Null when it failed. */
  result: R | null
}

/** Runs a job on several instances, each with its own pacing, checkpoint and report, and ends with one summary. */
export async function runInstances<F extends InstancesFlags>(
  flags: F,
  terminal: Terminal,
  runOne: (flags: F, terminal: Terminal) => Promise<Summary[]>,
): Promise<number> {
  const all = await onEach(flags, terminal, async (own, ownTerminal) => {
    const [summary = null] = await runOne(own, ownTerminal)
    return { result: summary, exitCode: summary?.exitCode ?? 0 }
  })
  const exitCode = worstOf(all.map((one) => one.exitCode))
  if (flags.json) {
    const instances = all.map(({ row, exitCode, error, result: summary }) => {
      const because = error ?? summary?.stoppedBecause ?? null
      return { instance: row.origin, exitCode, because, summary }
    })
    terminal.print(JSON.stringify({ exitCode, instances }, null, 2))
  } else if (!flags.quiet) terminal.print(tableOf(all))
  return exitCode
}

/** Plans a job on several instances, and prints one plan after the other. */
export async function planInstances<F extends InstancesFlags>(
  flags: F,
  terminal: Terminal,
  planOne: (flags: F, terminal: Terminal) => Promise<{ plan: Forecast; text: string }>,
): Promise<number> {
  const all = await onEach(flags, terminal, async (own, ownTerminal) => ({
    result: await planOne(own, ownTerminal),
    exitCode: 0,
  }))
  const codes = new Set(all.map((one) => one.exitCode))
  const exitCode = [1, 2, 4, 130, 129, 75].find((code) => codes.has(code)) ?? 0
  if (flags.json) {
    const instances = all.map(({ row, exitCode, error, result }) => ({
      instance: row.origin,
      exitCode,
      because: error,
      plan: result?.plan ?? null,
    }))
    terminal.print(JSON.stringify({ exitCode, instances }, null, 2))
  } else for (const { row, error, result } of all) terminal.print(result?.text ?? `${row.origin}: ${error}`)
  return exitCode
}

/** Does the same on all instances at once. What fails on one does not stop the others. */
async function onEach<F extends InstancesFlags, R>(
  flags: F,
  terminal: Terminal,
  doOne: (flags: F, terminal: Terminal) => Promise<{ result: R | null; exitCode: number }>,
): Promise<EndedInstance<R>[]> {
  const named = takenByFile.filter((flag) => (flags as Record<string, unknown>)[flag] !== undefined)
  if (named.length > 0) {
    throw new UsageError(
      `--instances names what --${named[0]} names for a single run: leave --${named[0]} out.`,
    )
  }
  const environment = withEnvFile(terminal.environment, flags['env-file'])
  const rows = readInstances(flags.instances, environment)
  const metricsFile = flags['metrics-file'] ?? environment.ADA_BULK_METRICS_FILE
  const ask = askingTogether(rows.length, terminal.ask)
  return Promise.all(
    rows.map(async (row, index): Promise<EndedInstance<R>> => {
      const own: Terminal = {
        ...terminal,
        environment: { ...environment, ADA_API_KEY: row.key, ADA_BULK_METRICS_FILE: undefined },
        isStderrTerminal: false,
        notice: (text) => terminal.notice(text.replaceAll(/^(?=.)/gm, `${row.label}: `)),
        ask: (question) => ask.ask(index, `${row.label}: ${question}`),
      }
      try {
        const ended = await doOne(flagsOf({ ...flags, 'metrics-file': metricsFile }, row), own)
        return { row, error: null, ...ended }
      } catch (error) {
        const exitCode = exitCodeOf(error)
        if (error instanceof Interrupted) return { row, exitCode, error: 'not confirmed', result: null }
        const because = exitCode === 1 ? String((error as Error).stack) : (error as Error).message
        own.notice(`ada-bulk: ${because}`)
        return { row, exitCode, error: because, result: null }
      } finally {
        ask.leave(index)
      }
    }),
  )
}

function flagsOf<F extends InstancesFlags>(flags: F, { origin, input, label }: InstanceRow): F {
  return {
    ...flags,
    instances: undefined,
    'base-url': origin,
    ...(input.length === 0 ? {} : { input }),
    label,
    // One file per instance, as each is written as a whole.
    'metrics-file': flags['metrics-file']?.replace(/(\.prom)?$/, `-${label}.prom`),
    progress:
      flags.quiet || flags.progress === 'none' ? 'none' : flags.progress === 'json' ? 'json' : 'plain',
  }
}

/**
 * Puts the questions of all instances one after the other, once each has asked or has left, and answers none before all
 * are answered: nothing begins anywhere while a person still thinks.
 */
export function askingTogether(
  count: number,
  ask: Terminal['ask'],
): { ask(index: number, question: string): Promise<string>; leave(index: number): void } {
  const undecided = new Set(Array.from({ length: count }, (_, index) => index))
  const questions: {
    question: string
    resolve: (answer: string) => void
    reject: (error: unknown) => void
  }[] = []

  function decided(index: number): void {
    undecided.delete(index)
    if (undecided.size === 0) void askAll()
  }

  async function askAll(): Promise<void> {
    const asked = questions.splice(0)
    try {
      const answers: string[] = []
      for (const { question } of asked) answers.push(await ask(question))
      for (const [index, { resolve }] of asked.entries()) resolve(answers[index]!)
    } catch (error) {
      for (const { reject } of asked) reject(error)
    }
  }

  return {
    ask: (index, question) =>
      new Promise((resolve, reject) => {
        questions.push({ question, resolve, reject })
        decided(index)
      }),
    leave: decided,
  }
}

/** What needs a person most comes first. 2 says that nothing was sent at all. */
function worstOf(codes: readonly number[]): number {
  const distinct = new Set(codes)
  if (distinct.size === 1) return codes[0]!
  if (distinct.has(1)) return 1
  if (distinct.has(2)) return 4
  return [4, 130, 143, 129, 75, 3].find((code) => distinct.has(code)) ?? 0
}

function tableOf(ended: readonly EndedInstance<Summary>[]): string {
  const sum = (pick: (summary: Summary) => number) =>
    inDigits(ended.reduce((total, { result }) => total + (result === null ? 0 : pick(result)), 0))
  const failed = ({ totals }: Summary) => totals.failed + totals.unknown
  return [
    `${counted(ended.length, 'instance')}: ${sum(({ totals }) => totals.succeeded)} succeeded, ${sum(failed)} failed, ${sum(({ totals }) => totals.left)} left.`,
    ...ended.flatMap(({ row, exitCode, error, result }) => {
      if (result === null)
        return [`  ${row.origin}  exit code ${exitCode}${error === null ? '' : `: ${error}`}`]
      const { read, left, succeeded } = result.totals
      const counts = `${inDigits(read - left)} of ${inDigits(read)} settled, ${inDigits(succeeded)} succeeded, ${inDigits(failed(result))} failed`
      const head = `  ${row.origin}  exit code ${exitCode}, ${counts}`
      const because = result.stoppedBecause
      return because === null
        ? [head]
        : [`${head}: ${because}`, `    Go on with: ${resumeCommand(result, row)}`]
    }),
  ].join('\n')
}

/** With the key of that instance, which no other variable of `resume` names. */
function resumeCommand({ directory }: Summary, { keyVariable }: InstanceRow): string {
  const key = keyVariable === 'ADA_API_KEY' ? '' : `ADA_API_KEY="$${keyVariable}" `
  return `${key}ada-bulk resume ${shellWord(relativePath(directory))}`
}
