import type { Totals } from '../checkpoint/summary.js'
import type { LiveStatus } from '../monitor/status.js'
import type { RunState } from '../runs/state.js'
import { inDigits } from '../system/text.js'

/** Where a run stands. The names stand in `status --json`. */
export interface Status {
  run: string
  directory: string
  state: RunState['kind']
  job: string
  instance: string
  retryOf: string | null
  startedAt: string
  /** When it ended or stopped last; null while it runs and after a crash. */
  finishedAt: string | null
  exitCode: number | null
  stoppedBecause: string | null
  totals: Totals
  reasons: Record<string, number>
  requests: { sent: number; rateLimited: number }
  holder: { pid: number; host: string; since: string } | null
  /** It was asked to stand still. */
  isPaused: boolean
  /** How it stands right now; null when it does not run, or says nothing. */
  live: LiveStatus | null
}

/** Of a run whose files cannot be read the list says so, and tells of the others all the same. */
export interface Damage {
  run: string
  directory: string
  state: 'damaged'
  message: string
}

/** The list of runs, for people. */
export function tableOf(statuses: readonly (Status | Damage)[]): string {
  const rows = statuses.map((status) =>
    'message' in status ? [status.run, 'damaged', '', '', ''] : rowOf(status),
  )
  const damages = statuses.flatMap((status) =>
    'message' in status ? [`${status.run}: ${status.message}`] : [],
  )
  const table = [['RUN', 'STATE', 'STARTED (UTC)', 'SETTLED', 'FAILED'], ...rows]
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)))
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  )
  return [...lines, ...damages].join('\n')
}

function rowOf({ run, state, isPaused, startedAt, totals }: Status): string[] {
  return [
    run,
    isPaused && state !== 'finished' ? `${state}, paused` : state,
    startedAt.slice(0, 16).replace('T', ' '),
    `${inDigits(totals.read - totals.left)}/${inDigits(totals.read)}`,
    inDigits(totals.failed + totals.unknown),
  ]
}
