import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { z } from 'zod'
import type { Checkpoint } from '../checkpoint/checkpoint.js'
import type { RunDirectory } from '../checkpoint/directory.js'
import type { ControlEvent, LifecycleEvent, RunListener } from '../checkpoint/events.js'
import type { Limiter } from '../pacing/limiter.js'
import { longestWindowMs, mostCalls, type RateWindow, windowsMax } from '../settings/limits.js'
import type { RunSettings } from '../settings/run-settings.js'
import type { Clock } from '../system/clock.js'
import { faultIn } from '../system/errors.js'
import { readSmallText, writeFileAtomically } from '../system/files.js'
import { currentUser } from '../system/host.js'
import type { Logger } from '../system/log.js'
import { progressFields } from './lines.js'
import { every, type RunView } from './view.js'

const cap = z.object({
  max: z.number().int().positive().max(mostCalls),
  perMs: z.number().int().positive().max(longestWindowMs),
})

/** Other programs write moments in other forms; the record has one form of them. */
const momentInAnyForm = z.iso
  .datetime({ offset: true })
  .transform((at) => new Date(at).toISOString())
  .refine((at) => at.length === 24)

const signature = z.string().max(256)

const controlSchema = z.object({
  isPaused: z.boolean(),
  /** Null: as the run's settings say. */
  share: z.number().min(0.01).max(1).nullable(),
  /** Caps, in place of those of the settings. Version 0.1 wrote `none`, too: no cap. */
  limits: z
    .union([z.literal('none').transform((): RateWindow[] => []), z.array(cap).max(windowsMax)])
    .nullable(),
  /** Who changed it last, and when (ISO 8601, UTC). */
  at: momentInAnyForm,
  by: signature,
  host: signature,
})

/**
 * What a person sets from outside, while a run is at work or between two executions: `control.json` in its directory,
 * so that it works wherever the directory can be reached. It holds until it is changed again.
 */
export type Control = z.infer<typeof controlSchema>

type ControlSettings = Pick<Control, 'isPaused' | 'share' | 'limits'>

/** What the control file says; null when there is none. A file with a fault is not obeyed in any part. */
export function readControl(path: string): ReadControl | null {
  if (!existsSync(path)) return null
  let text = ''
  try {
    text = readSmallText(path)
    const { data, error } = controlSchema.safeParse(JSON.parse(text))
    if (error === undefined) return { text, control: data, fault: null }
    return { text, control: null, fault: `control.json is not obeyed: ${faultIn(error)}` }
  } catch {
    return { text, control: null, fault: 'control.json is not obeyed: it cannot be read as JSON' }
  }
}

type ReadControl = { text: string } & ({ control: Control; fault: null } | { control: null; fault: string })

/** Changes what is named and leaves the rest. */
export function changeControl(path: string, change: Partial<ControlSettings>): Control {
  const before = readControl(path)?.control ?? { isPaused: false, share: null, limits: null }
  const signed = { at: new Date().toISOString(), by: currentUser(), host: hostname() }
  const control: Control = { ...before, ...change, ...signed }
  writeFileAtomically(path, `${JSON.stringify(control)}\n`)
  return control
}

/** The settings that the checkpoint has last. */
export function controlOnRecord(events: readonly LifecycleEvent[]): ControlSettings {
  const last: ControlSettings = { isPaused: false, share: null, limits: null }
  for (const event of events) {
    if (event.event === 'paused' || event.event === 'continued') last.isPaused = event.event === 'paused'
    if (event.event !== 'throttled') continue
    last.share = event.share
    last.limits = event.limits === 'none' ? [] : event.limits && [...event.limits]
  }
  return last
}

/** Limits that version 0.1 throttled to, as JSON: it took them times the share. Null where a later version throttled. */
function limitsOfVersion1(events: readonly LifecycleEvent[]): string | null {
  let version = ''
  let limits: string | null = null
  for (const event of events) {
    if (event.event === 'started' || event.event === 'resumed') version = event.version
    if (event.event === 'throttled') limits = version === '0.1.0' ? JSON.stringify(event.limits) : null
  }
  return limits
}

/** The events that a change makes. */
export function controlEvents(
  before: ControlSettings,
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

/**
 * Keeps a running process and others in touch from its first event on: does what `control.json` says and records that,
 * leaves its progress in `live.json`, and notes where the time went. Close it while the checkpoint is open.
 */
export function openLiveStatus(
  directory: Pick<RunDirectory, 'control' | 'live'>,
  settings: Pick<RunSettings, 'caps' | 'share'>,
  events: readonly LifecycleEvent[],
  limiter: Limiter,
  checkpoint: Checkpoint,
  view: () => RunView,
  { clock, log }: { clock: Clock; log: Logger },
): RunListener & Disposable {
  let applied: ControlSettings = controlOnRecord(events)
  let text: string | null = null
  let controlAt: string | null = null
  let timers: Disposable[] = []

  const before = limitsOfVersion1(events)

  function setPace({ isPaused, share: ownShare, limits }: ControlSettings): void {
    const share = ownShare ?? settings.share
    const isBefore = limits !== null && JSON.stringify(limits) === before
    const part = isBefore && typeof share === 'number' ? share : 1
    const caps = (limits ?? settings.caps).map(({ max, perMs }) => ({
      max: Math.max(1, Math.floor(max * part)),
      perMs,
    }))
    limiter.setPace({ isPaused, share, caps })
  }

  function applyControl(): void {
    const found = readControl(directory.control)
    if (found === null || found.text === text) return
    text = found.text
    if (found.control === null) {
      log.warn(found.fault)
      setPace(applied)
      return
    }
    setPace(found.control)
    for (const event of controlEvents(applied, found.control)) {
      // A checkpoint that cannot be written stops the run at the next item.
      checkpoint.record(event).catch(() => {})
    }
    applied = found.control
    controlAt = found.control.at
    write()
  }

  function write(): void {
    try {
      // Others see the old or the new one. It is not worth a wait for the disk.
      const text = JSON.stringify({ ...progressFields(view()), controlAt })
      writeFileSync(`${directory.live}.tmp`, `${text}\n`, { mode: 0o600 })
      renameSync(`${directory.live}.tmp`, directory.live)
    } catch {}
  }

  function noteWaited(): void {
    const ms = limiter.takeTimeSpent()
    if (Object.keys(ms).length === 0) return
    try {
      checkpoint.note({ event: 'waited', at: new Date(clock.wallMs()).toISOString(), ms })
    } catch {}
  }

  return {
    on({ event }) {
      if (event !== 'started' && event !== 'resumed') return
      applyControl()
      write()
      timers = [every(250, applyControl), every(1000, write), every(60_000, noteWaited)]
    },
    [Symbol.dispose]() {
      for (const timer of timers) timer[Symbol.dispose]()
      noteWaited()
      try {
        rmSync(directory.live, { force: true })
      } catch {}
    },
  }
}

const moment = z.string().refine((text) => !Number.isNaN(Date.parse(text)))

/** What `live.json` says beyond the checkpoint. The names are contract: `status --json` has them. */
const statusSchema = z.object({
  at: moment,
  settledLastMinute: z.number(),
  finishesAt: moment.nullable(),
  waitingFor: z.string(),
  waiting: z.string(),
  waitsUntil: moment.nullable(),
  stoppingBecause: z.string().nullable(),
  /** The last change from outside that is applied. */
  controlAt: z.string().nullable(),
})
export type LiveStatus = z.infer<typeof statusSchema>

/** The status of a running process; null when it leaves none. */
export function readLiveStatus(path: string): LiveStatus | null {
  try {
    return statusSchema.parse(JSON.parse(readSmallText(path)))
  } catch {
    return null
  }
}
