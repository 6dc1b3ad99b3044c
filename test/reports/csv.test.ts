import { parse } from 'csv-parse/sync'
import { describe, expect, test } from 'vitest'
import { csvReport } from '../../src/reports/csv.js'
import { columns, describeReport, type ReportRow, succeeded, textOf } from './report-contract.js'

function read(text: string): ReportRow[] {
  const numbers = ['http_status', 'attempts', 'duration_ms', 'line']
  return parse(text, {
    columns: true,
    record_delimiter: '\n',
    cast: (cell, { header, column }) =>
      header || !numbers.includes(String(column)) ? cell : cell === '' ? null : Number(cell),
  })
}

const defused = (text: string) => (/^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text)

describeReport(csvReport, read, defused)

test('its first line is the contract', () => {
  expect(csvReport.head).toBe(`${columns.join(',')}\n`)
})

test('what needs no quotes has none', async () => {
  expect(
    await textOf(csvReport, [[succeeded, { ...succeeded, httpStatus: null, message: 'not found' }]]),
  ).toBe(
    `${csvReport.head}66f2a91c4be07d3f5c1e0001,succeeded,ended,200,1,2026-11-22T15:04:05.678Z,128,,conversations.csv,2\n` +
      '66f2a91c4be07d3f5c1e0001,succeeded,ended,,1,2026-11-22T15:04:05.678Z,128,not found,conversations.csv,2\n',
  )
})

describe('a cell', () => {
  test.each([
    ['=1+1', "'=1+1"],
    ['+49 30 1234', "'+49 30 1234"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "'\t=1"],
    ['\r=1', `"'\r=1"`],
    ['\n=1', `"'\n=1"`],
    ['＝1', "'＝1"],
    ['="a","b"', `"'=""a"",""b"""`],
    ['a=1', 'a=1'],
    ["'=1", "'=1"],
    ['', ''],
  ])('%j is written %j', (id, cell) => {
    expect(csvReport.row({ ...succeeded, id }).startsWith(`${cell},succeeded,`)).toBe(true)
  })

  test('is defused in every column that holds text from outside', () => {
    const row = csvReport.row({ ...succeeded, id: '=1', reason: '=1', message: '=1', source: '=1' })
    expect(row.match(/'=1/g)).toHaveLength(4)
  })
})
