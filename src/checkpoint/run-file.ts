import { basename, extname } from 'node:path'
import { z } from 'zod'
import { runSettings } from '../settings/run-settings.js'
import type { Fingerprinted } from '../sources/fingerprint.js'

/** A file that a run reads, with its fingerprint. */
export const fingerprinted: z.ZodType<Fingerprinted> = z.object({
  name: z.string(),
  path: z.string(),
  sha256: z.string(),
  bytes: z.number().nonnegative(),
})

/** `run.json`: what was asked. Written once, before the first call; never holds the key. */
export const runFileSchema = z.object({
  version: z.literal(1),
  run: z.string(),
  /** A name from `jobs/`, or the absolute path of a user's own file. */
  job: z.string(),
  jobFlags: z.record(z.string(), z.string()),
  /** How the job finds IDs, so that the record can be checked without the job. Runs of version 0.1 do not have it. */
  ids: z.object({ columns: z.array(z.string()).readonly().optional(), isFree: z.boolean() }).optional(),
  /** The API's origin. */
  instance: z.string(),
  isSandbox: z.boolean(),
  /** Against a sandbox that somebody else has started. */
  isPractice: z.boolean().optional(),
  isParallel: z.boolean(),
  settings: runSettings,
  input: z.array(fingerprinted),
  hold: z.array(fingerprinted),
  /** What counting found before the first call. */
  plan: z.object({ read: z.number().int().nonnegative(), calls: z.number().int().nonnegative() }),
  /** Rows whose ID stood in the input before, by the same counting. */
  duplicates: z.number().optional(),
  /** What of Data Export the input was downloaded from; null when it was not. */
  live: z.object({ by: z.enum(['created', 'updated']), fromMs: z.number(), toMs: z.number() }).nullable(),
  /** The run whose failed and unknown items this one does again. */
  retryOf: z.string().nullable(),
  /** The run of which this one is the second part: it erases the end users behind what that one has ended. */
  follows: z.string().optional(),
  /** Tells the key of the pseudonyms, where the books keep no IDs. */
  pseudonyms: z.string().optional(),
  adaBulk: z.string(),
  node: z.string(),
  startedAt: z.iso.datetime(),
  /** The moment by which the job's filters judge, where it is not `startedAt`: of a run by a plan. */
  judgedAt: z.iso.datetime().optional(),
  by: z.string(),
  host: z.string(),
})
export type RunFile = z.infer<typeof runFileSchema>

/** A job's name as people say it: of a user's own file, its name without path and ending. */
export function jobShortName(nameOrPath: string): string {
  return basename(nameOrPath, extname(nameOrPath))
}
