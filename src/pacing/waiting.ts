import type { RateWindow } from '../settings/limits.js'
import type { ClosedReason } from './gate.js'

/** What all calls are waiting for; `untilMs` is monotonic. A window is as we allow it to ourselves now. */
export type Waiting =
  | { kind: 'nothing' }
  | { kind: 'window' | 'giving_way'; window: RateWindow }
  | { kind: ClosedReason | 'hours' | 'ledger'; untilMs: number }
  | { kind: 'paused' }

/** How `waited` lines of the checkpoint call it: windows as the API has them. */
export function nameOf(waiting: Waiting, windows: readonly RateWindow[] | 'none'): string {
  if (waiting.kind === 'nothing') return 'calling'
  if (waiting.kind !== 'window' || windows === 'none') return waiting.kind
  const { perMs } = waiting.window
  return `window ${windows.find((window) => window.perMs === perMs)?.max}/${perMs}`
}
