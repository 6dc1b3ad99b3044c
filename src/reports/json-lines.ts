import { rowsReport } from './report.js'

/** `report.jsonl`: one JSON object a line, with the columns of the CSV as its fields. */
export const jsonLinesReport = rowsReport({
  format: 'jsonl',
  fileName: 'report.jsonl',
  head: '',
  row: (item) =>
    `${JSON.stringify({
      id: item.id,
      status: item.status,
      reason: item.reason,
      http_status: item.httpStatus,
      attempts: item.attempts,
      finished_at: item.finishedAt,
      duration_ms: item.durationMs,
      message: item.message,
      source: item.source,
      line: item.line,
    })}\n`,
})
