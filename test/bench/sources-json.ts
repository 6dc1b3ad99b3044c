/**
 * What reading a data export of a million records costs in each shape, beside JSON.parse per line alone over the same
 * records as JSON Lines. Each measure is a process of its own, so that it has its own peak of memory; shape and
 * JSON.parse take turns, and the median counts. RECORDS=100000 for less.
 */
import { execFileSync } from 'node:child_process'
import { closeSync, createReadStream, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { json } from '../../src/sources/json.js'

interface Measure {
  rows: number
  ms: number
  cpuMs: number
  peakMiB: number
}

/** How the records are put together: before the first, between two, behind the last. */
interface Shape {
  start: string
  between: (row: number) => string
  end: string
  indent?: number
  isPacked?: boolean
}

const pageEnd = '],"meta":{"next_page_uri":null}}'
const shapes: Record<string, Shape> = {
  'JSON Lines': { start: '', between: () => '\n', end: '\n' },
  'one page': { start: '{"data":[', between: () => ',', end: pageEnd },
  'one page, pretty': { start: '{"data":[', between: () => ',\n', end: pageEnd, indent: 2 },
  'pages of 10,000': {
    start: '{"data":[',
    between: (row) => (row % 10_000 === 0 ? `${pageEnd}\n{"data":[` : ','),
    end: pageEnd,
  },
  'bare array': { start: '[\n', between: () => ',\n', end: '\n]\n' },
  'one page, gzip': { start: '{"data":[', between: () => ',', end: pageEnd, isPacked: true },
}

const rounds = 3
const recordCount = Number(process.env.RECORDS ?? 1_000_000)
const [, script, ...words] = process.argv
if (words[0] === '--child') await child(words[1]!, words[2]!)
else parent()

function parent(): void {
  const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-bench-'))
  try {
    const linesPath = join(directory, 'export.jsonl')
    write(linesPath, shapes['JSON Lines']!)
    console.log(`${recordCount} records, ${megabytes(linesPath)} MB as JSON Lines`)
    for (const [name, shape] of Object.entries(shapes)) {
      const path = join(directory, 'export.json')
      write(path, shape)
      compare(name, path, linesPath)
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function compare(name: string, path: string, linesPath: string): void {
  const ours: Measure[] = []
  const base: Measure[] = []
  for (let round = 0; round < rounds; round++) {
    base.push(measure('JSON.parse', linesPath))
    ours.push(measure('source', path))
  }
  const ratio = (of: (measure: Measure) => number) =>
    median(ours.map((measure, round) => of(measure) / of(base[round]!))).toFixed(2)
  console.log(
    `  ${name.padEnd(18)} ${megabytes(path)} MB, ${Math.round(recordCount / median(ours.map(({ ms }) => ms)))} k rows/s, ${ratio(({ ms }) => ms)} × the time and ${ratio(({ cpuMs }) => cpuMs)} × the CPU of JSON.parse per line (${Math.round(recordCount / median(base.map(({ ms }) => ms)))} k/s), peak ${median(ours.map(({ peakMiB }) => peakMiB))} MiB`,
  )
}

function measure(reader: string, path: string): Measure {
  const words = [...process.execArgv, ...jitiOf(script!), '--child', reader, path]
  const measure = JSON.parse(execFileSync(process.execPath, words).toString()) as Measure
  if (measure.rows !== recordCount) throw new Error(`${reader} found ${measure.rows} rows in ${path}`)
  return measure
}

async function child(reader: string, path: string): Promise<void> {
  const start = performance.now()
  const cpu = process.cpuUsage()
  const rows = reader === 'source' ? await readRows(path) : await parseLines(path)
  const { user, system } = process.cpuUsage(cpu)
  const ms = performance.now() - start
  const peakMiB = Math.round(process.resourceUsage().maxRSS / 1024)
  console.log(JSON.stringify({ rows, ms, cpuMs: (user + system) / 1000, peakMiB } satisfies Measure))
}

async function readRows(path: string): Promise<number> {
  let rows = 0
  for await (const batch of json.rows({ name: path, path }, {})) rows += batch.length
  return rows
}

/** As little as can be done: the bytes up to each line end, given to JSON.parse. */
async function parseLines(path: string): Promise<number> {
  let rows = 0
  let rest = Buffer.alloc(0)
  for await (const piece of createReadStream(path, { highWaterMark: 128 * 1024 })) {
    const bytes: Buffer = Buffer.concat([rest, piece as Buffer])
    let at = 0
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, at)) {
      if (JSON.parse(bytes.toString('utf8', at, end))._id !== '') rows++
      at = end + 1
    }
    rest = Buffer.from(bytes.subarray(at))
  }
  return rows
}

/** A compiled script is run by itself, a TypeScript one through jiti again. */
function jitiOf(path: string): string[] {
  return path.endsWith('.ts') ? ['node_modules/jiti/lib/jiti-cli.mjs', path] : [path]
}

function write(path: string, { start, between, end, indent, isPacked }: Shape): void {
  const file = openSync(path, 'w')
  const flush = (text: string) => writeSync(file, isPacked ? gzipSync(text, { level: 1 }) : Buffer.from(text))
  let text = start
  for (let row = 0; row < recordCount; row++) {
    if (row > 0) text += between(row)
    text += JSON.stringify(record(row), null, indent)
    if (text.length > 4_000_000) {
      flush(text)
      text = ''
    }
  }
  flush(text + end)
  closeSync(file)
}

/** About 350 bytes. */
function record(row: number): object {
  // Spread like real ones, and no two the same.
  const middle = (Math.imul(row, 2654435761) >>> 0).toString(16).padStart(8, '0')
  const end = row.toString(16).padStart(8, '0')
  return {
    _id: `6913b261${middle}${end}`,
    chatter_id: `68aa01c2${middle}${end}`,
    date_created: '2026-08-01T12:34:56.789000',
    date_updated: `2026-08-0${(row % 9) + 1}T12:34:56.789000`,
    inquiry_summary: `Where is order "${row % 977}"?`,
    is_engaged: row % 3 === 0,
    is_escalated: row % 7 === 0,
    is_test_user: false,
    language: 'en',
    platform: 'web',
    variables: { plan: 'plus', order_number: `A-${row}` },
    metavariables: { introshown: true },
  }
}

function megabytes(path: string): number {
  return Math.round(statSync(path).size / 1e6)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}
