import { existsSync, statSync } from 'node:fs'
import { z } from 'zod'
import { LogWriteError } from '../checkpoint/log.js'
import type { ExportSpan } from '../settings/run-settings.js'
import { UsageError } from '../system/errors.js'
import { readSmallText, writeFileAtomically } from '../system/files.js'
import { messageOf } from '../system/text.js'
import { historyMs, queriesOf } from './export-span.js'

export interface Downloaded {
  records: number
  pages: number
  /** Queries done, of all that the span takes. */
  queries: number
  queriesAll: number
}

/** Where a download stands; kept beside it, so that it can be killed at any moment. */
export interface Standing extends Downloaded {
  asked: string
  span: ExportSpan
  pageSize: number
  /** Length of what is whole. */
  bytes: number
  /** The next page; null: the first of the next query. */
  path: string | null
  /** Where the query under way began, in the file and in the counts, if it must be asked again. */
  queryBytes: number
  queryRecords: number
}

/** Where the download of `part` stands by the file `progress`; at the beginning, if either is not there. */
export function readStanding(
  part: string,
  progress: string,
  { asked, span, pageSize }: Pick<Standing, 'asked' | 'span' | 'pageSize'>,
): Standing {
  if (!existsSync(part) || !existsSync(progress)) {
    const counts = { records: 0, pages: 0, queries: 0, queriesAll: queriesOf(span).length }
    return { ...counts, asked, span, pageSize, bytes: 0, path: null, queryBytes: 0, queryRecords: 0 }
  }
  const standing = readOrNull(progress)
  if (standing === null || !(statSync(part).size >= standing.bytes)) {
    throw new UsageError(`${part} or ${progress} is damaged. Remove both to begin anew.`)
  }
  if (standing.asked === asked) return standing
  throw new UsageError(
    `${part} is of another export (${standing.asked}). Finish that one, name another --output, or remove it and ${progress}.`,
  )
}

export function writeStanding(progress: string, standing: Standing): void {
  onDisk(progress, () => writeFileAtomically(progress, `${JSON.stringify(standing)}\n`))
}

/** Says of a failure to write which file it was. */
export function onDisk<T>(path: string, write: () => T): T {
  try {
    return write()
  } catch (error) {
    throw new LogWriteError(`cannot write ${path}: ${messageOf(error)}`)
  }
}

const count = z.number().int().nonnegative()
const momentMs = z.number().nonnegative().max(8.64e15)

const standingSchema: z.ZodType<Standing> = z.object({
  records: count,
  pages: count,
  queries: count,
  queriesAll: count,
  asked: z.string(),
  span: z
    .object({ by: z.enum(['created', 'updated']), fromMs: momentMs, toMs: momentMs })
    .refine(({ fromMs, toMs }) => toMs - fromMs <= 2 * historyMs),
  pageSize: count.positive(),
  bytes: count,
  path: z.string().startsWith('/').nullable(),
  queryBytes: count,
  queryRecords: count,
})

function readOrNull(progress: string): Standing | null {
  try {
    return standingSchema.parse(JSON.parse(readSmallText(progress)))
  } catch {
    return null
  }
}
