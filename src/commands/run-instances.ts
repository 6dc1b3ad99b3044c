import type { Summary } from '../checkpoint/summary.js'
import type { InstanceRow } from '../settings/instances-file.js'
import { counted, inDigits, shellWord } from '../system/text.js'
import { type InstancesFlags, overInstances } from './over-instances.js'
import type { Shell } from './shell.js'
import { relativePath } from './summary-text.js'

/** How one instance's run ended. Its summary is null when the run did not begin. */
interface Ended {
  instance: string
  exitCode: number
  because: string | null
  summary: Summary | null
}

/** Runs a job over several instances, each with its own pacing, checkpoint and report, and ends with one summary. */
export async function runInstances<F extends InstancesFlags>(
  flags: F,
  shell: Shell,
  runOne: (flags: F, shell: Shell) => Promise<number>,
): Promise<number> {
  const all = await overInstances(flags, shell, (one, own) => runOne({ ...one, json: true }, own))
  const ended = all.map(({ row, exitCode, error, printed }): Ended => {
    const summary = summaryOf(printed)
    return { instance: row.origin, exitCode, because: error ?? summary?.stoppedBecause ?? null, summary }
  })
  const exitCode = worstOf(ended.map((one) => one.exitCode))
  if (flags.json) shell.print(JSON.stringify({ exitCode, instances: ended }, null, 2))
  else if (!flags.quiet)
    shell.print(
      tableOf(
        ended,
        all.map(({ row }) => row),
      ),
    )
  return exitCode
}

function summaryOf(printed: string): Summary | null {
  try {
    return JSON.parse(printed)
  } catch {
    return null
  }
}

/** What needs a person first comes first; 2 says that nothing was sent at all. */
function worstOf(codes: readonly number[]): number {
  const distinct = new Set(codes)
  if (distinct.size === 1) return codes[0]!
  if (distinct.has(1)) return 1
  if (distinct.has(2)) return 4
  return [4, 130, 143, 75, 3].find((code) => distinct.has(code)) ?? 0
}

/** With the key of that instance, which no other variable of `resume` names. */
function resumeCommand({ directory }: Summary, { keyVariable }: InstanceRow): string {
  const key = keyVariable === 'ADA_API_KEY' ? '' : `ADA_API_KEY="$${keyVariable}" `
  return `${key}ada-bulk resume ${shellWord(relativePath(directory))}`
}

function tableOf(ended: readonly Ended[], rows: readonly InstanceRow[]): string {
  const sum = (pick: (summary: Summary) => number) =>
    ended.reduce((total, { summary }) => total + (summary === null ? 0 : pick(summary)), 0)
  const lines = ended.flatMap(({ instance, exitCode, because, summary }, index) => {
    const { read, left, succeeded, failed, unknown } = summary?.totals ?? {
      read: 0,
      left: 0,
      succeeded: 0,
      failed: 0,
      unknown: 0,
    }
    const counts = `${inDigits(read - left)} of ${inDigits(read)} settled, ${inDigits(succeeded)} succeeded, ${inDigits(failed + unknown)} failed`
    return [
      `  ${instance}  exit code ${exitCode}${summary === null ? '' : `, ${counts}`}${because === null ? '' : `: ${because}`}`,
      ...(summary === null || summary.stoppedBecause === null
        ? []
        : [`    Go on with: ${resumeCommand(summary, rows[index]!)}`]),
    ]
  })
  const failed = sum(({ totals }) => totals.failed + totals.unknown)
  return [
    `${counted(ended.length, 'instance')}: ${inDigits(sum(({ totals }) => totals.succeeded))} succeeded, ${inDigits(failed)} failed, ${inDigits(sum(({ totals }) => totals.left))} left.`,
    ...lines,
  ].join('\n')
}
