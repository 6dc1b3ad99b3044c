import { withEnvFile } from '../settings/environment.js'
import { type InstanceRow, readInstances } from '../settings/instances-file.js'
import { UsageError } from '../system/errors.js'
import { askingTogether } from './ask-together.js'
import { exitCodeOf, Interrupted, type Shell } from './shell.js'

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

/** How one instance came out. */
export interface EndedInstance {
  row: InstanceRow
  exitCode: number
  /** Why it broke off; null when it did not. */
  error: string | null
  /** What the command would have printed. */
  printed: string
}

/**
 * Types one command line for several instances side by side, each by its own. `runOne` is that command for one of
 * them. What fails on one does not stop the others.
 */
export async function overInstances<F extends InstancesFlags>(
  flags: F,
  shell: Shell,
  runOne: (flags: F, shell: Shell) => Promise<number>,
): Promise<EndedInstance[]> {
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
  return Promise.all(
    rows.map(async (row, index): Promise<EndedInstance> => {
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
        return { row, exitCode, error: null, printed }
      } catch (error) {
        if (error instanceof Interrupted) return { row, exitCode: 130, error: 'not confirmed', printed }
        const exitCode = exitCodeOf(error)
        const because = exitCode === 1 ? String((error as Error).stack) : (error as Error).message
        own.notice(`ada-bulk: ${because}`)
        return { row, exitCode, error: because, printed }
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
