import { jsonLinesReport } from '../../src/reports/json-lines.js'
import { describeReport } from './report-contract.js'

describeReport(jsonLinesReport, (text) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line)),
)
