/**
 * How much a run costs beside the bare calls, without any limit, against a local server: `npm run bench:overhead`.
 * A bare `fetch` loop, a bare undici loop and `ada-bulk run --api-limit none` (checkpoint and report included) end the
 * same IDs in turn, several rounds in one go; each in a process of its own, the server in another. Compare the
 * ratios: machines differ, and this one is not alone.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const concurrency = 16
const [, , role = 'main', ...rest] = process.argv
const self = fileURLToPath(import.meta.url)
const cli = resolve('dist/src/cli.js')

/** Has the command print what it used when it exits. */
const measuring = `data:text/javascript,${encodeURIComponent(`process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  console.log(JSON.stringify({ cpuMs: (userCPUTime + systemCPUTime) / 1000, peakMb: maxRSS / 1024 }))
})`)}`

if (role === 'server') serve()
else if (role === 'fetch' || role === 'undici') await bareLoop(role, rest[0]!, Number(rest[1]))
else await compare(Number(process.env.IDS ?? 10_000), Number(process.env.ROUNDS ?? 3))

function serve(): void {
  const server = createServer((request, response) => {
    request.resume()
    response.setHeader('content-type', 'application/json')
    response.end('{"message":"Conversation ended successfully."}')
  })
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as { port: number }).port))
}

async function bareLoop(kind: 'fetch' | 'undici', origin: string, count: number): Promise<void> {
  const call = kind === 'fetch' ? fetchCall(origin) : await undiciCall(origin)
  const startedMs = performance.now()
  let next = 0
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (next < count) await call(`/api/v2/conversations/${idOf(next++)}/end/`)
    }),
  )
  report(performance.now() - startedMs)
}

function fetchCall(origin: string): (path: string) => Promise<unknown> {
  return async (path) =>
    (await fetch(origin + path, { method: 'POST', headers: { authorization: 'Bearer k' } })).json()
}

async function undiciCall(origin: string): Promise<(path: string) => Promise<unknown>> {
  const { Pool } = await import('undici')
  const pool = new Pool(origin, { connections: concurrency })
  return async (path) =>
    (await pool.request({ path, method: 'POST', headers: { authorization: 'Bearer k' } })).body.json()
}

function report(ms: number): void {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  console.log(JSON.stringify({ ms, cpuMs: (userCPUTime + systemCPUTime) / 1000, peakMb: maxRSS / 1024 }))
  process.exit()
}

interface Measured {
  /** Of the calls alone for the loops; of the whole command, start and report included, for ada-bulk. */
  ms: number
  cpuMs: number
  peakMb: number
}

async function compare(count: number, rounds: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-bench-'))
  const input = join(directory, 'ids.csv')
  writeFileSync(input, `conversation_id\n${Array.from({ length: count }, (_, n) => idOf(n)).join('\n')}\n`)
  const server = fork(self, ['server'], { execArgv: process.execArgv })
  const origin = `http://127.0.0.1:${await new Promise((resolve) => server.once('message', resolve))}`
  const results: Record<string, Measured[]> = { fetch: [], undici: [], 'ada-bulk': [] }
  try {
    for (let round = 0; round < rounds; round++) {
      for (const kind of ['fetch', 'undici']) {
        const child = fork(self, [kind, origin, String(count)], { execArgv: process.execArgv, silent: true })
        results[kind]!.push(JSON.parse(await output(child)))
      }
      results['ada-bulk']!.push(await runTool(directory, input, origin, round))
    }
  } finally {
    server.kill()
    rmSync(directory, { recursive: true, force: true })
  }
  const fetchRate = median(results.fetch!.map(({ ms }) => count / ms))
  console.log(`${count} IDs, concurrency ${concurrency}, median of ${rounds} rounds, Node ${process.version}`)
  console.log('              IDs/s  × fetch  CPU µs/ID  peak MB')
  for (const [kind, measured] of Object.entries(results)) {
    const rate = median(measured.map(({ ms }) => count / ms))
    const cells = [
      Math.round(rate * 1000)
        .toString()
        .padStart(7),
      (rate / fetchRate).toFixed(2).padStart(7),
      Math.round((median(measured.map(({ cpuMs }) => cpuMs)) / count) * 1000)
        .toString()
        .padStart(9),
      Math.round(median(measured.map(({ peakMb }) => peakMb)))
        .toString()
        .padStart(7),
    ]
    console.log(`${kind.padEnd(10)}  ${cells.join('  ')}`)
  }
  console.log(
    'ada-bulk: the whole command, with start, counting, checkpoint and report. Target: at least 0.8 × fetch.',
  )
}

async function runTool(directory: string, input: string, origin: string, round: number): Promise<Measured> {
  const startedMs = performance.now()
  const args = [
    'run',
    'end-conversations',
    '--input',
    input,
    '--base-url',
    origin,
    '--api-limit',
    'none',
    '--yes',
    '--quiet',
  ]
  const child = spawn(
    process.execPath,
    [
      '--import',
      measuring,
      cli,
      ...args,
      '--run-dir',
      join(directory, `run-${round}`),
      '--concurrency',
      String(concurrency),
    ],
    {
      env: { ...process.env, ADA_API_KEY: 'k', ADA_BULK_STATE: join(directory, 'state') },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const said = await output(child)
  return { ...JSON.parse(said), ms: performance.now() - startedMs }
}

function output(child: ChildProcess): Promise<string> {
  let text = ''
  child.stdout?.on('data', (chunk) => {
    text += chunk
  })
  return new Promise((resolve, reject) => {
    child.on('close', (code) =>
      code === 0 ? resolve(text) : reject(new Error(`exit code ${code}: ${text}`)),
    )
  })
}

function idOf(number: number): string {
  return `66f2a9${number.toString(16).padStart(18, '0')}`
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!
}
