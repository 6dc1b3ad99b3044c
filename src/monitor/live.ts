import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import type { Checkpoint } from '../checkpoint/checkpoint.js'
import type { CheckpointState } from '../checkpoint/read.js'
import type { Pace } from '../pacing/admission.js'
import type { Limiter } from '../pacing/limiter.js'
import type { RunSettings } from '../settings/run-settings.js'
import type { Clock } from '../system/clock.js'
import { readSmallText } from '../system/files.js'
import type { Logger } from '../system/log.js'
import { type Control, controlEvents, controlOnRecord, readControl } from './control.js'
import { progressFields, type RunView } from './progress.js'

const controlEveryMs = 250
const viewEveryMs = 1000
const waitedEveryMs = 60_000

export interface LiveOptions {
  /** `control.json`, which others write. */
  controlPath: string
  /** `live.json`, which others read. */
  livePath: string
  settings: Pick<RunSettings, 'limits' | 'share'>
  limiter: Limiter
  checkpoint: Checkpoint
  state: Pick<CheckpointState, 'events'>
  view: () => RunView
  clock: Clock
  log: Logger
}

/**
 * Keeps a run and those outside in touch while it goes: does what `control.json` asks and puts that on record,
 * leaves in `live.json` how it stands, and notes now and then where the time went. Returns how to end it.
 */
export function startLive(options: LiveOptions): () => void {
  const { controlPath, livePath, limiter, checkpoint, clock, log } = options
  let done = controlOnRecord(options.state.events)
  let text: string | null = null
  let controlAt: string | null = null

  function control(): void {
    const asked = readControl(controlPath)
    if (asked === null || asked.text === text) return
    text = asked.text
    limiter.setPace(paceOf(asked.control, options.settings))
    for (const event of controlEvents(done, asked.control)) {
      options.state.events.push(event)
      log.info(event, 'changed from outside')
      // A checkpoint that cannot be written stops the run at the next item.
      checkpoint.record(event).catch(() => {})
    }
    done = asked.control
    controlAt = asked.control.at
    show()
  }

  function show(): void {
    try {
      // Others see the old or the new one. It is not worth a wait for the disk.
      const text = JSON.stringify({ ...progressFields(options.view()), controlAt })
      writeFileSync(`${livePath}.tmp`, `${text}\n`, { mode: 0o600 })
      renameSync(`${livePath}.tmp`, livePath)
    } catch {}
  }

  function noteWaited(): void {
    const ms = limiter.takeTimeSpent()
    if (Object.keys(ms).length === 0) return
    try {
      checkpoint.note({ event: 'waited', at: new Date(clock.wallMs()).toISOString(), ms })
    } catch {}
  }

  control()
  show()
  const timers = [
    setInterval(control, controlEveryMs),
    setInterval(show, viewEveryMs),
    setInterval(noteWaited, waitedEveryMs),
  ]
  for (const timer of timers) timer.unref()
  return () => {
    for (const timer of timers) clearInterval(timer)
    noteWaited()
    try {
      rmSync(livePath, { force: true })
    } catch {}
  }
}

/** What is asked from outside goes before the settings. */
function paceOf({ isPaused, share, limits }: Control, settings: LiveOptions['settings']): Pace {
  return { isPaused, share: share ?? settings.share, windows: limits ?? settings.limits }
}

/** How a live run stands beyond what its checkpoint says. The names stand in `status --json`. */
export type Shown = Omit<ReturnType<typeof progressFields>, 'totals' | 'requests'> & {
  /** The last that was asked from outside and is done. */
  controlAt: string | null
}

const moment = z.string().refine((text) => !Number.isNaN(Date.parse(text)))

const shownSchema = z.object({
  at: moment,
  settledLastMinute: z.number(),
  finishesAt: moment.nullable(),
  waitingFor: z.string(),
  waiting: z.string(),
  waitsUntil: moment.nullable(),
  stoppingBecause: z.string().nullable(),
  controlAt: z.string().nullable(),
})

/** How a live run says that it stands; null when it says nothing. */
export function readLive(path: string): Shown | null {
  try {
    return shownSchema.parse(JSON.parse(readSmallText(path)))
  } catch {
    return null
  }
}
