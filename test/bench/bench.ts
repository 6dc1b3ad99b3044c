/**
 * Everything in one run on one machine: `npm run bench`. `--quick` for small sizes, `--huge` for ten million IDs as
 * well, `--only PART` for one part, `--write` to put the tables into the README.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fetchPeers } from './peers.js'
import { asMarkdown, type Table, withResults } from './results.js'

const parts = ['throttled', 'unthrottled', 'resume', 'growth']

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean' },
    huge: { type: 'boolean' },
    only: { type: 'string', multiple: true, default: parts },
    write: { type: 'boolean' },
  },
})
const unknown = values.only.find((name) => !parts.includes(name))
if (unknown !== undefined) {
  console.error(`There is no part ${unknown}: name one of ${parts.join(', ')}.`)
  process.exit(2)
}

/** Tools that were fetched before, or else a place that goes away again. */
const kept = process.env.BENCH_PEERS
const peers = kept ?? mkdtempSync(join(tmpdir(), 'ada-bulk-bench-peers-'))
try {
  console.error('  fetching the peers')
  const { missing } = fetchPeers(peers)
  for (const sentence of missing) console.error(`Not measured: ${sentence}`)
  const size = values.huge ? 'huge' : values.quick ? 'quick' : 'full'
  const texts = [machine(size)]
  for (const name of parts.filter((name) => values.only.includes(name))) {
    const tables = await tablesOf(name, size)
    texts.push(...tables.map(asMarkdown))
    console.log(tables.map(asMarkdown).join('\n'))
  }
  texts.push(...missing.map((sentence) => `Not measured: ${sentence}`))
  if (values.write)
    writeFileSync('README.md', withResults(readFileSync('README.md', 'utf8'), texts.join('\n')))
} finally {
  if (kept === undefined) rmSync(peers, { recursive: true, force: true })
}

function machine(size: string): string {
  const day = new Date().toISOString().slice(0, 10)
  return `${day}, ${cpus().length} cores (${cpus()[0]?.model.trim()}), Node ${process.version}, ${size} sizes.\n`
}

/** Each part is a process of its own, so that none inherits the memory of another. */
async function tablesOf(name: string, size: string): Promise<Table[]> {
  const words = [join(import.meta.dirname, `${name}.js`), size, peers]
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.on('data', (chunk) => {
    said += chunk
  })
  const exitCode = await new Promise((resolve) => child.once('close', resolve))
  if (exitCode !== 0) throw new Error(`${name} ended with ${exitCode}`)
  return JSON.parse(said)
}
