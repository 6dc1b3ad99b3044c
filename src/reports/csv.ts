import { rowsReport } from './report.js'

/** `report.csv`: RFC 4180 with LF, UTF-8. The columns and their order are contract. */
export const csvReport = rowsReport({
  format: 'csv',
  fileName: 'report.csv',
  head: 'id,status,reason,http_status,attempts,finished_at,duration_ms,message,source,line\n',
  row: (item) =>
    `${cell(item.id)},${item.status},${cell(item.reason)},${item.httpStatus ?? ''},${item.attempts},${item.finishedAt},` +
    `${item.durationMs},${cell(item.message)},${cell(item.source)},${item.line}\n`,
})

/** Characters that begin a formula in a spreadsheet, plain and full-width. */
const formulaStart = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/

/** Quotes a cell where needed, and puts an apostrophe before a formula. */
function cell(text: string): string {
  const safe = formulaStart.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
