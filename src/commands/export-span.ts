import { type ExportSpan, exportHistoryMs } from '../settings/run-settings.js'
import { parseCount, parseDuration } from '../settings/values.js'
import { UsageError } from '../system/errors.js'
import { momentMs } from '../system/moment.js'
import type { Flags, spanOptions } from './options.js'

/** The span that the flags name; without a beginning, all of the history that there is. */
export function exportSpan(
  flags: Flags<typeof spanOptions>,
  nowMs: number,
  notice: (text: string) => void,
): ExportSpan {
  const updated = flags['updated-since']
  const created = flags['created-since']
  if (updated !== undefined && created !== undefined) {
    throw new UsageError('--updated-since and --created-since do not go together: give one of them.')
  }
  const fromFlag = created === undefined ? '--updated-since' : '--created-since'
  const asked = parseAgo(created ?? updated ?? '364d', fromFlag, nowMs)
  const toMs = flags.to === undefined ? nowMs : parseAgo(flags.to, '--to', nowMs)
  const fromMs = Math.max(asked, nowMs - exportHistoryMs)
  if (fromMs > asked) notice('Data Export goes back 12 months: beginning there.')
  if (fromMs >= toMs) throw new UsageError(`${fromFlag} must lie before --to.`)
  return { by: created === undefined ? 'updated' : 'created', fromMs, toMs }
}

export function pageSizeOf(flags: Flags<typeof spanOptions>): number {
  return parseCount(flags['page-size'] ?? '1000', '--page-size', 100, 10_000)
}

/** `90d` ago, or a moment. */
function parseAgo(text: string, flag: string, nowMs: number): number {
  const ms = momentMs(text)
  if (ms !== null) return ms
  if (/^\d{4}/.test(text))
    throw new UsageError(`${flag} ${text}: not a moment. Write it like 2026-01-31 or 2026-01-31T08:00Z.`)
  return nowMs - parseDuration(text, flag)
}
