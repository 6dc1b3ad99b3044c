import { type InstanceRow, readInstances } from '../instances-file.js'
import { withEnvFile } from '../settings/environment.js'
import type { Summary } from '../summary.js'
import { UsageError } from '../usage-error.js'
import { counted, inDigits } from '../words.js'
import { askingTogether } from './ask-together.js'
import { Interrupted, type Shell } from './shell.js'

/** Flags that say for one run what the file says for each. */
const takenByFile = [
  'input',
  'base-url',
  'handle',
  'region',
  'sandbox',
  'api-key-file',
  'run-dir',
  'plan',
  'dry-run',
]

interface InstancesFlags {
  instances: string
  json?: boolean | undefined
  quiet?: boolean | undefined
  progress?: string | undefined
  'env-file'?: string | undefined
  'metrics-file'?: string | undefined
}

/** How one instance came out. Its summary is null when its run did not begin. */
interface Ended {
  instance: string
  exitCode: number
  because: string | null
  summary: Summary | null
}

/**
 * Runs one command line over several instances side by side, each by its own with its own pacing, checkpoint and
 * report. `runOne` is that command for one of them. What fails on one does not stop the others.
 */
export async function runInstances<F extends InstancesFlags>(
  flags: F,
  shell: Shell,
  runOne: (flags: F, shell: Shell) => Promise<number>,
): Promise<number> {
  const named = takenByFile.filter((flag) => (flags as Record<string, unknown>)[flag] !== undefined)
  if (named.length > 0) {
    throw new UsageError(
      `--instances names what --${named[0]} names for a single run: leave --${named[0]} out.`,
    )
  }
  const environment = withEnvFile(shell.environment, flags['env-file'])
  const rows = readInstances(flags.instances, environment)
  const metricsFile = flags['metrics-file'] ?? environment.ADA_BULK_METRICS_FILE
  const ask = askingTogether(rows.length, shell.ask)
  const ended = await Promise.all(
    rows.map(async (row, index): Promise<Ended> => {
      let printed = ''
      const own: Shell = {
        ...shell,
        environment: { ...environment, ADA_API_KEY: row.key, ADA_BULK_METRICS_FILE: undefined },
        isStderrTerminal: false,
        print: (text) => {
          printed += text
        },
        notice: (text) => shell.notice(text.replaceAll(/^(?=.)/gm, `${row.label}: `)),
        ask: (question) => ask.ask(index, `${row.label}: ${question}`),
      }
      try {
        const exitCode = await runOne(flagsOf({ ...flags, 'metrics-file': metricsFile }, row), own)
        const summary = summaryOf(printed)
        return { instance: row.origin, exitCode, because: summary?.stoppedBecause ?? null, summary }
      } catch (error) {
        if (error instanceof Interrupted)
          return { instance: row.origin, exitCode: 130, because: 'not confirmed', summary: null }
        const isExpected = error instanceof UsageError
        const because = isExpected ? error.message : String((error as Error).stack)
        own.notice(`ada-bulk: ${because}`)
        return { instance: row.origin, exitCode: isExpected ? 2 : 1, because, summary: null }
      } finally {
        ask.leave(index)
      }
    }),
  )
  const exitCode = exitCodeOf(ended.map((one) => one.exitCode))
  if (flags.json) shell.print(JSON.stringify({ exitCode, instances: ended }, null, 2))
  else if (!flags.quiet) shell.print(tableOf(ended))
  return exitCode
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
    json: true,
    progress:
      flags.quiet || flags.progress === 'none' ? 'none' : flags.progress === 'json' ? 'json' : 'plain',
  }
}

function summaryOf(printed: string): Summary | null {
  try {
    return JSON.parse(printed)
  } catch {
    return null
  }
}

/** What needs a person first comes first; 2 says that nothing was sent at all. */
export function exitCodeOf(codes: readonly number[]): number {
  const distinct = new Set(codes)
  if (distinct.size === 1) return codes[0]!
  if (distinct.has(1)) return 1
  if (distinct.has(2)) return 4
  return [4, 130, 143, 75, 3].find((code) => distinct.has(code)) ?? 0
}

function tableOf(ended: readonly Ended[]): string {
  const sum = (pick: (summary: Summary) => number) =>
    ended.reduce((total, { summary }) => total + (summary === null ? 0 : pick(summary)), 0)
  const lines = ended.map(({ instance, exitCode, because, summary }) => {
    const { read, left, succeeded, failed, unknown } = summary?.totals ?? {
      read: 0,
      left: 0,
      succeeded: 0,
      failed: 0,
      unknown: 0,
    }
    const counts = `${inDigits(read - left)} of ${inDigits(read)} settled, ${inDigits(succeeded)} succeeded, ${inDigits(failed + unknown)} failed`
    return `  ${instance}  exit code ${exitCode}${summary === null ? '' : `, ${counts}`}${because === null ? '' : `: ${because}`}`
  })
  const failed = sum(({ totals }) => totals.failed + totals.unknown)
  return [
    `${counted(ended.length, 'instance')}: ${inDigits(sum(({ totals }) => totals.succeeded))} succeeded, ${inDigits(failed)} failed, ${inDigits(sum(({ totals }) => totals.left))} left.`,
    ...lines,
  ].join('\n')
}
