import { z } from 'zod'
import { UsageError } from '../system/errors.js'
import {
  type AnyRow,
  type Flags,
  type Having,
  parse,
  type Row,
  rows,
  typedIn,
  type ValueOf,
  valueIn,
} from './flags.js'
import { type RateWindow, windowsMax } from './limits.js'
import type { Kind } from './setting.js'
import type { Share } from './share.js'

/** As `RateWindow`, from a file. */
export const rateWindow = z.object({ max: z.number().int().positive(), perMs: z.number().positive() })

const part = z.number().positive().max(1)
const minute = z.number().int().min(0).max(1440)
export const shareSchema: z.ZodType<Share> = z.union(
  [
    part,
    z.object({
      spans: z
        .array(z.object({ fromMinute: minute, toMinute: minute, share: part }))
        .min(1)
        .max(windowsMax),
      otherwise: part,
    }),
  ],
  { error: 'expected a number from 0 to 1 or a timetable' },
)

type KeptRow = Extract<AnyRow, Having<{ keptAs: string }>>
type Always = Having<{ default: string }> | readonly ['switch' | 'limits' | 'caps', ...unknown[]]

/** The settings that run.json keeps, so that a resumed run goes the same way. */
export type RunSettings = {
  [R in KeptRow as R[2]['keptAs']]: ValueOf<R> | (R extends Always ? never : null)
}
type SettingName = keyof RunSettings

const keptRows = rows.filter((row): row is Row & { keptAs: SettingName } => row.keptAs !== undefined)

/** The flag of each. */
export const settingFlags = byName(({ flag }) => `--${flag}`) as Record<SettingName, string>

/** As kinds of values are written in JSON. */
const shapes: Partial<Record<Kind, z.ZodType>> = {
  text: z.string(),
  choice: z.string(),
  switch: z.boolean(),
  count: z.number().positive(),
  duration: z.number().positive(),
  share: shareSchema,
  limits: z.union([z.literal('none'), z.array(rateWindow)]),
  caps: z.array(rateWindow),
  hours: z.object({ fromMinute: z.number(), toMinute: z.number() }),
  failures: z.object({ count: z.number().nullable(), ratio: z.number().nullable() }),
}

/** A setting that is missing, because it is younger than the run, has its default. */
export const runSettings = z.object(
  byName((row) => {
    const shape = shapes[row.kind]!
    if (row.kind === 'limits') return shape
    const fallback = fallbackOf(row)
    return (fallback === null ? shape.nullable() : shape).default(fallback)
  }) as Record<string, z.ZodType>,
) as unknown as z.ZodType<RunSettings>

/** Null where a setting need not have a value. */
function fallbackOf(row: Row): unknown {
  if (row.default !== undefined) return parse(row, row.default)
  return row.kind === 'switch' ? false : row.kind === 'caps' ? [] : null
}

function byName(of: (row: Row) => unknown): Record<string, unknown> {
  return Object.fromEntries(keptRows.map((row) => [row.keptAs, of(row)]))
}

/** What the settings of a run need to know of its job. */
interface SettingsOfJob {
  checksFirst?: boolean
  idColumns?: unknown
  operation: { limits: readonly RateWindow[] }
}

/** The settings of a run of this job, unless flags say otherwise. */
export function defaultSettings(job: SettingsOfJob): RunSettings {
  const defaults = byName(fallbackOf) as RunSettings
  return { ...defaults, limits: [...job.operation.limits], checkFirst: job.checksFirst ?? false }
}

/** The settings of a new run: the flags, else the defaults. */
export function newSettings(flags: Flags, job: SettingsOfJob): RunSettings {
  const isOfEndUsers = job.idColumns !== undefined
  if (isOfEndUsers && flags['check-first'])
    throw new UsageError('--check-first is for jobs that do something to conversations, one by one.')
  if (isOfEndUsers && flags.format === 'json')
    throw new UsageError('--format json: the input of this job is CSV, with one identifier a row.')
  const settings = { ...defaultSettings(job), ...typedSettings(flags, keptRows) }
  return isOfEndUsers ? { ...settings, format: 'csv' } : settings
}

/** Settings of a run that exists, with what the flags may change. */
export function changedSettings(settings: RunSettings, flags: Flags): RunSettings {
  const changeable = keptRows.filter(({ isFixed }) => !isFixed)
  return { ...settings, ...typedSettings(flags, changeable) }
}

function typedSettings(flags: Flags, among: typeof keptRows): Partial<RunSettings> {
  const typed = among.filter(({ flag }) => flags[flag] !== undefined)
  return Object.fromEntries(typed.map((row) => [row.keptAs, parse(row, flags[row.flag])]))
}

/** How far this execution goes. */
export function stopLimits(flags: Flags): {
  maxItems: number
  maxDurationMs: number | null
  pollForMs?: number
  acceptsShrunkHold: boolean
} {
  const pollForMs = typedIn(flags, 'poll-for')
  return {
    maxItems: typedIn(flags, 'max-items') ?? Number.POSITIVE_INFINITY,
    maxDurationMs: typedIn(flags, 'max-duration') ?? null,
    ...(pollForMs === undefined ? {} : { pollForMs }),
    acceptsShrunkHold: flags['accept-shrunk-hold'] ?? false,
  }
}

/** Data Export holds 12 months. A day less, as the edge moves on. Source: Ada's public documentation, October 2026. */
export const exportHistoryMs = 364 * 86_400_000

/** What of Data Export is asked for: conversations created or updated from one moment on, up to another (Unix). */
export interface ExportSpan {
  by: 'created' | 'updated'
  fromMs: number
  /** Exclusive. */
  toMs: number
}

/** The span that the flags name; without a beginning, all of the history that there is. */
export function exportSpan(flags: Flags, nowMs: number, notice: (text: string) => void): ExportSpan {
  const updated = flags['updated-since']
  const created = flags['created-since']
  if (updated !== undefined && created !== undefined) {
    throw new UsageError('--updated-since and --created-since do not go together: give one of them.')
  }
  const fromFlag = created === undefined ? '--updated-since' : '--created-since'
  const asked = (typedIn(flags, 'created-since') ?? valueIn(flags, 'updated-since'))(nowMs)
  const toMs = typedIn(flags, 'to')?.(nowMs) ?? nowMs
  const fromMs = Math.max(asked, nowMs - exportHistoryMs)
  if (fromMs > asked) notice('Data Export goes back 12 months: beginning there.')
  if (fromMs >= toMs) throw new UsageError(`${fromFlag} must lie before --to.`)
  return { by: created === undefined ? 'updated' : 'created', fromMs, toMs }
}
