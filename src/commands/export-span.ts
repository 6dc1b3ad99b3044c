import { type Flags, typedIn, valueIn } from '../settings/flags.js'
import { type ExportSpan, exportHistoryMs } from '../settings/run-settings.js'
import { UsageError } from '../system/errors.js'

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

export function pageSizeOf(flags: Flags): number {
  return valueIn(flags, 'page-size')
}
