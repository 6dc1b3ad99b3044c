import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { z } from 'zod'
import type { ControlEvent, LifecycleEvent } from '../checkpoint/events.js'
import { rateWindow } from '../settings/run-settings.js'
import { readSmallText, writeFileAtomically } from '../system/files.js'
import { currentUser } from '../system/host.js'

const controlSchema = z.object({
  isPaused: z.boolean(),
  /** Null: as the run's settings say. */
  share: z.number().positive().max(1).nullable(),
  limits: z.union([z.literal('none'), z.array(rateWindow)]).nullable(),
  /** Who changed it last, and when (ISO 8601, UTC). */
  at: z.string(),
  by: z.string(),
  host: z.string(),
})

/**
 * What somebody asks of a run from outside, while it goes or between two executions: `control.json` in its
 * directory, so that it works wherever the directory can be reached. It holds until it is changed again.
 */
export type Control = z.infer<typeof controlSchema>

/** What is asked, without who asks. */
type Asked = Pick<Control, 'isPaused' | 'share' | 'limits'>

/** The control file's text and what it says; null when there is none, or none that can be read. */
export function readControl(path: string): { text: string; control: Control } | null {
  if (!existsSync(path)) return null
  try {
    const text = readSmallText(path)
    return { text, control: controlSchema.parse(JSON.parse(text)) }
  } catch {
    return null
  }
}

/** Changes what is named and leaves the rest as it was asked before. */
export function changeControl(path: string, change: Partial<Asked>): Control {
  const before = readControl(path)?.control ?? { isPaused: false, share: null, limits: null }
  const signed = { at: new Date().toISOString(), by: currentUser(), host: hostname() }
  const control: Control = { ...before, ...change, ...signed }
  writeFileAtomically(path, `${JSON.stringify(control)}\n`)
  return control
}

/** What the checkpoint says was asked last. */
export function controlOnRecord(events: readonly LifecycleEvent[]): Asked {
  const asked: Asked = { isPaused: false, share: null, limits: null }
  for (const event of events) {
    if (event.event === 'paused' || event.event === 'continued') asked.isPaused = event.event === 'paused'
    if (event.event !== 'throttled') continue
    asked.share = event.share
    asked.limits = event.limits === null || event.limits === 'none' ? event.limits : [...event.limits]
  }
  return asked
}

/** What has to go into the checkpoint when this is asked after that. */
export function controlEvents(
  before: Asked,
  { isPaused, share, limits, at, by, host }: Control,
): ControlEvent[] {
  const signed = { at, by, host }
  const isThrottled = share !== before.share || JSON.stringify(limits) !== JSON.stringify(before.limits)
  return [
    ...(isThrottled ? [{ event: 'throttled' as const, ...signed, share, limits }] : []),
    ...(isPaused === before.isPaused
      ? []
      : [{ event: isPaused ? ('paused' as const) : ('continued' as const), ...signed }]),
  ]
}
