/**
 * What reading a CSV of a million rows costs: our source, alone, with the set that finds duplicates and as `plan`
 * reads it, beside csv-parse alone. Each is a process of its own, so that each has its own peak of memory; they take
 * turns, and the median counts. `--rows 100000` for less.
 */
import { execFileSync } from 'node:child_process'
import { closeSync, createReadStream, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream'
import { parse } from 'csv-parse'
import { countInput } from '../../src/runs/count.js'
import { csv } from '../../src/sources/csv.js'
import { IdSet } from '../../src/sources/id-set.js'
import { openInput } from '../../src/sources/input.js'

interface Measure {
  rows: number
  ms: number
  cpuMs: number
  peakMiB: number
}

const readers: Record<string, (path: string) => Promise<number>> = {
  async 'csv-parse'(path) {
    let rows = -1
    const parser = parse()
    pipeline(createReadStream(path), parser, () => {})
    for await (const _ of parser) rows++
    return rows
  },
  async 'csv source'(path) {
    let rows = 0
    for await (const batch of csv.rows({ name: path, path }, {})) rows += batch.length
    return rows
  },
  async 'csv source + IdSet'(path) {
    const ids = new IdSet()
    for await (const batch of csv.rows({ name: path, path }, {})) for (const row of batch) ids.add(row.id)
    return ids.size
  },
  async plan(path) {
    const settings = { format: 'auto', idColumn: null, acceptTruncated: false }
    return (await countInput(await openInput([{ name: path, path }], settings), [])).read
  },
}

const rounds = 5
const [, script, ...words] = process.argv
if (words[0] === '--child') await child(words[1]!, words[2]!)
else parent(words[0] === '--rows' ? Number(words[1]) : 1_000_000)

function parent(rowCount: number): void {
  const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-bench-'))
  try {
    for (const isQuoted of [false, true]) {
      const path = join(directory, 'conversations.csv')
      writeTable(path, rowCount, isQuoted)
      const kind = isQuoted ? 'quoted cells, CR LF' : 'plain cells, LF'
      console.log(`${rowCount} rows, ${Math.round(statSync(path).size / 1e6)} MB, ${kind}`)
      compare(path, rowCount)
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function compare(path: string, rowCount: number): void {
  const measures = new Map<string, Measure[]>(Object.keys(readers).map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, list] of measures) {
      const words = [...process.execArgv, ...jitiOf(script!), '--child', name, path]
      const measure = JSON.parse(execFileSync(process.execPath, words).toString()) as Measure
      if (measure.rows !== rowCount) throw new Error(`${name} found ${measure.rows} rows`)
      list.push(measure)
    }
  }
  const base = measures.get('csv-parse')!
  for (const [name, list] of measures) {
    const seconds = median(list.map(({ ms }) => ms)) / 1000
    const ratio = median(list.map(({ ms }, round) => ms / base[round]!.ms))
    const cpuRatio = median(list.map(({ cpuMs }, round) => cpuMs / base[round]!.cpuMs))
    console.log(
      `  ${name.padEnd(20)} ${Math.round(rowCount / seconds / 1000)} k rows/s, ${ratio.toFixed(2)} × the time and ${cpuRatio.toFixed(2)} × the CPU of csv-parse, peak ${median(list.map(({ peakMiB }) => peakMiB))} MiB`,
    )
  }
}

async function child(name: string, path: string): Promise<void> {
  const start = performance.now()
  const cpu = process.cpuUsage()
  const rows = await readers[name]!(path)
  const { user, system } = process.cpuUsage(cpu)
  const ms = performance.now() - start
  const peakMiB = Math.round(process.resourceUsage().maxRSS / 1024)
  console.log(JSON.stringify({ rows, ms, cpuMs: (user + system) / 1000, peakMiB } satisfies Measure))
}

/** A compiled script is run by itself, a TypeScript one through jiti again. */
function jitiOf(path: string): string[] {
  return path.endsWith('.ts') ? ['node_modules/jiti/lib/jiti-cli.mjs', path] : [path]
}

function writeTable(path: string, rowCount: number, isQuoted: boolean): void {
  const file = openSync(path, 'w')
  const end = isQuoted ? '\r\n' : '\n'
  let text = `conversation_id,channel,language,last_message_at,subject${end}`
  for (let row = 0; row < rowCount; row++) {
    // Spread like real ones, and no two the same.
    const middle = (Math.imul(row, 2654435761) >>> 0).toString(16).padStart(8, '0')
    const id = `6913b261${middle}${row.toString(16).padStart(8, '0')}`
    const subject = isQuoted ? `"order ""${row % 977}"", where is it"` : `where is order ${row % 977}`
    text += `${id},whatsapp,en-GB,2026-11-0${(row % 9) + 1}T12:34:56Z,${subject}${end}`
    if (text.length > 1_000_000) {
      writeSync(file, text)
      text = ''
    }
  }
  writeSync(file, text)
  closeSync(file)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}
