import { z } from 'zod'
import type { Job } from '../job.js'

/** As `RateWindow`, from a file. */
export const rateWindow = z.object({ max: z.number().int().positive(), perMs: z.number().positive() })

/** What decides how a run goes; kept, so that a resumed run goes the same way. */
export const runSettings = z.object({
  format: z.string(),
  idColumn: z.string().nullable(),
  acceptTruncated: z.boolean(),
  /** `none`: no pacing at all. */
  limits: z.union([z.literal('none'), z.array(rateWindow)]),
  /** From 0 to 1. */
  share: z.number().positive().max(1),
  hours: z.object({ fromMinute: z.number(), toMinute: z.number() }).nullable(),
  concurrency: z.number().positive(),
  timeoutMs: z.number().positive(),
  attemptsMax: z.number().positive(),
  maxFailures: z.object({ count: z.number().nullable(), ratio: z.number().nullable() }),
  maxOutageMs: z.number(),
  /** Each conversation is asked for before something is done to it. */
  checkFirst: z.boolean(),
})
export type RunSettings = z.infer<typeof runSettings>

/** Data Export holds 12 months. A day less, as the edge moves on. Source: Ada's public documentation, October 2026. */
export const exportHistoryMs = 364 * 86_400_000

/** What of Data Export is asked for: conversations created or updated from one moment on, up to another (Unix). */
export interface ExportSpan {
  by: 'created' | 'updated'
  fromMs: number
  /** Exclusive. */
  toMs: number
}

/** The settings of a run of this job, if nobody says otherwise. */
export function defaultSettings(
  job: Pick<Job, 'checksFirst'> & { operation: Pick<Job['operation'], 'limits'> },
): RunSettings {
  return {
    format: 'auto',
    idColumn: null,
    acceptTruncated: false,
    limits: [...job.operation.limits],
    share: 0.8,
    hours: null,
    concurrency: 16,
    timeoutMs: 30_000,
    attemptsMax: 5,
    maxFailures: { count: null, ratio: 0.25 },
    maxOutageMs: 300_000,
    checkFirst: job.checksFirst ?? false,
  }
}
