import { z } from 'zod'
import { type Item, statuses } from '../item.js'
import { rateWindow, runSettings } from '../settings/run-settings.js'
import { fingerprinted } from './run-file.js'

/** No input has more items. */
export const ordinalMax = 2 ** 28

const count = z.number().int().nonnegative()
const ordinal = count.max(ordinalMax)
const httpStatus = count.nullable()
const text = z.string()

export const momentForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
/** ISO 8601, UTC. */
const moment = text.refine((at) => momentForm.test(at) && !Number.isNaN(Date.parse(at)))

const settledItem = z.object({
  ordinal,
  status: z.enum(statuses),
  reason: text,
  id: text,
  httpStatus,
  attempts: count,
  finishedAt: moment,
  durationMs: count,
  message: text,
  source: text,
  line: count,
})

/** The items that are settled already stay settled. */
const start = {
  at: moment,
  by: text,
  host: text,
  pid: count,
  version: text,
  /** Items that a person allowed to be called, over all executions of the run. */
  confirmed: count,
  /** The hold lists, as they were read for this execution. */
  hold: z.array(fingerprinted).optional(),
  /** A resumed run may have other settings than the execution before. */
  settings: runSettings,
  /** SHA-256 of run.json, so that the request is a part of the chain. */
  runFile: text.optional(),
}

const batch = { event: z.literal('batch'), reference: text, at: moment }
const control = { at: moment, by: text, host: text }

/** The schema of each event, by its name. */
export const eventSchemas = {
  /** The first execution of the run began. */
  started: z.object({ event: z.literal('started'), ...start }),
  /** A later execution began. */
  resumed: z.object({ event: z.literal('resumed'), ...start }),
  /** The ordinals of all events before are void; the settled items that still matter follow again. */
  'input-changed': z.object({
    event: z.literal('input-changed'),
    at: moment,
    input: z.array(fingerprinted),
    plan: z.object({ read: count, calls: count }),
  }),
  /** A call leaves that may change something. */
  'call-sent': z.object({ event: z.literal('call-sent'), ordinal, id: text, at: moment }),
  /** A call leaves that only reads. */
  'check-sent': z.object({ event: z.literal('check-sent'), ordinal, id: text, at: moment }),
  /** A call was answered (or never left), and the item is not settled by it. */
  'call-returned': z.object({
    event: z.literal('call-returned'),
    ordinal,
    reason: text,
    httpStatus,
    at: moment,
    /** It answers a check. */
    isRead: z.literal(true).optional(),
    /** For the log; not in the checkpoint. */
    message: text.optional(),
  }),
  /** What is known of calls that settled nothing, under the item's ordinal in a changed input. */
  'calls-carried': z.object({
    event: z.literal('calls-carried'),
    ordinal,
    id: text,
    calls: count,
    isAnswerLost: z.boolean(),
  }),
  /** An item has its outcome. */
  settled: z.object({ event: z.literal('settled'), settled: settledItem }),
  /**
   * Something happened to a batch. `sent` is on disk before the call leaves, with the ordinals of its items: after a
   * crash the same batch is sent again, under the same reference.
   */
  batch: z.discriminatedUnion('did', [
    z.object({ ...batch, did: z.literal('sent'), ordinals: z.array(ordinal) }),
    /** The API took it, and gave its job this name. */
    z.object({ ...batch, did: z.literal('accepted'), job: text }),
    /** Answered, or never got there; the API took nothing. */
    z.object({ ...batch, did: z.literal('returned'), reason: text, httpStatus }),
    /** Too large for the API: its items are sent in smaller batches. */
    z.object({ ...batch, did: z.literal('split') }),
    /** A call asks how far its job is. */
    z.object({ ...batch, did: z.literal('asked') }),
    z.object({ ...batch, did: z.literal('asked in vain'), reason: text, httpStatus }),
  ]),
  /** Someone paused the run from outside, while it worked or between two executions. */
  paused: z.object({ event: z.literal('paused'), ...control }),
  continued: z.object({ event: z.literal('continued'), ...control }),
  /** Someone changed share or limits from outside; null where nothing was changed. */
  throttled: z.object({
    event: z.literal('throttled'),
    ...control,
    share: z.number().positive().max(1).nullable(),
    limits: z.union([z.literal('none'), z.array(rateWindow)]).nullable(),
  }),
  /**
   * Where the time went since the last event of this kind, or since the execution began: milliseconds by reason of the
   * wait. `calling` is no wait; a window is `window 300/60000`, as the API has it; the others are the kinds of
   * `Waiting`. Comes about once a minute and at the end; the last minute before a crash is not known.
   */
  waited: z.object({
    event: z.literal('waited'),
    at: moment,
    ms: z.record(text, z.number().nonnegative()),
  }),
  /** The execution stopped, and items are left. */
  stopped: z.object({ event: z.literal('stopped'), at: moment, exitCode: count, because: text }),
  /**
   * A person resumed the run although lines of its checkpoint were damaged. They are left out, and the whole lines behind
   * them follow again. The hash is that of the damaged file.
   */
  'damage-accepted': z.object({
    event: z.literal('damage-accepted'),
    ...control,
    lines: count,
    sha256: text,
  }),
  /** Every item is settled. */
  finished: z.object({ event: z.literal('finished'), at: moment, exitCode: count }),
}

/** Everything that happens in a run, and all that its checkpoint says. */
export type RunEvent = z.infer<(typeof eventSchemas)[keyof typeof eventSchemas]>
type Named<Name extends RunEvent['event']> = Extract<RunEvent, { event: Name }>

export type StartEvent = Named<'started' | 'resumed'>
export type EndEvent = Named<'stopped' | 'finished'>
export type ControlEvent = Named<'paused' | 'continued' | 'throttled'>
export type BatchEvent = Named<'batch'>
/** What happens to a run as a whole. */
export type LifecycleEvent =
  | StartEvent
  | EndEvent
  | ControlEvent
  | Named<'input-changed' | 'waited' | 'damage-accepted'>
/** What happens to items. */
export type ItemEvent = Exclude<RunEvent, LifecycleEvent>

/** Hears every event of a run once the checkpoint has it. What it throws stops the run. */
export interface RunListener {
  /** `item` is known where the event is about a single one. */
  on(event: RunEvent, item?: Item): void
}
