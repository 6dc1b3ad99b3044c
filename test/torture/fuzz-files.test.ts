import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadJob } from '../../src/runs/jobs.js'
import { sandboxKey } from '../../src/sandbox/options.js'
import { openInput } from '../../src/sources/input.js'
import { readItems } from '../../src/sources/items.js'
import { UsageError } from '../../src/system/errors.js'
import { startSandbox } from '../sandbox/sandboxes.js'
import { cli } from './cli.js'
import { fuzzRuns, inTime, mutations } from './mutations.js'

const home = mkdtempSync(join(tmpdir(), 'ada-bulk-fuzz-'))
const place = { runs: join(home, 'runs'), state: join(home, 'state'), plan: join(home, 'plan.json') }
const whole = join(home, 'whole')
const list = join(home, 'stale.csv')
const environment: Record<string, string> = {
  ADA_API_KEY: sandboxKey,
  ADA_BULK_RUNS: place.runs,
  ADA_BULK_STATE: place.state,
  ADA_BASE_URL: 'http://127.0.0.1:9',
}

/** A run that has stopped half-way, with everything that it and others write beside it. */
beforeAll(async () => {
  const sandbox = await startSandbox({ limits: 'none', errorRate: 0.1 })
  environment.ADA_BASE_URL = sandbox.url
  cpSync('samples/conversations.csv', list)
  const words = ['end-conversations', '--input', list]
  await cli(['plan', ...words, '--output', place.plan], environment)
  const run = [
    'run',
    ...words,
    '--yes',
    '--run-dir',
    whole,
    '--max-items',
    '4',
    '--api-limit',
    '50/s',
    '--quiet',
  ]
  expect(await cli(run, environment)).toMatchObject({ code: 75 })
  await cli(['throttle', whole, '--share', '50%'], environment)
  await sandbox.close()
  environment.ADA_BASE_URL = 'http://127.0.0.1:9'
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

/** A sentence or more, and no stack. */
function expectSentence({ code, said }: { code: number; said: string }): void {
  expect([0, 2, 3, 4, 75]).toContain(code)
  expect(said).not.toMatch(/\n {4}at |undefined|\[object Object\]/)
  if (code === 2) expect(said).toMatch(/\w+ \w+ \w+/)
}

const ofRun = [
  'run.json',
  'checkpoint.jsonl',
  'summary.json',
  'control.json',
  'live.json',
  '.input-ids',
  'report.csv',
  '.lock.1',
]

describe('a file of a run that was mutated', () => {
  test.for(ofRun)('%s: every command that reads it says what it finds, in sentences', async (name) => {
    const path = join(place.runs, 'mutated')
    await fc.assert(
      fc.asyncProperty(
        mutations,
        fc.constantFrom(...['status', 'verify', 'report', 'resume', 'retry', 'throttle']),
        async (mutate, command) => {
          rmSync(path, { recursive: true, force: true })
          cpSync(whole, path, { recursive: true })
          const file = join(path, name)
          const before = readdirSync(path).includes(name)
            ? readFileSync(file)
            : Buffer.from('{"totals":{"read":4},"isPaused":false}\n')
          writeFileSync(file, mutate(before))
          // Nobody is asked to agree, and nobody listens where calls would go.
          const more = { throttle: ['--share', '20%'], resume: ['--max-duration', '1s'] }[command] ?? []
          expectSentence(await inTime(cli([command, path, ...more], environment)))
        },
      ),
      fuzzRuns(2),
    )
  })
})

test('a plan that was mutated is refused, or runs what it was made for', async () => {
  const mutated = join(home, 'mutated.json')
  const sample = readFileSync(place.plan)
  await fc.assert(
    fc.asyncProperty(mutations, async (mutate) => {
      writeFileSync(mutated, mutate(sample))
      expectSentence(
        await inTime(cli(['run', 'end-conversations', '--input', list, '--plan', mutated], environment)),
      )
    }),
    fuzzRuns(6),
  )
})

const inputs = ['conversations.csv', 'export-page.json', 'hold.csv'].filter((name) =>
  readdirSync('samples').includes(name),
)

describe('an input that was mutated', () => {
  test.for(inputs)('%s: every row is read or has its problem, or the file is refused', async (name) => {
    const sample = readFileSync(join('samples', name))
    const path = join(home, `mutated-${name}`)
    await fc.assert(
      fc.asyncProperty(
        mutations,
        fc.boolean(),
        mutations,
        fc.constantFrom('auto', 'csv', 'json'),
        async (mutate, isPacked, again, format) => {
          const bytes = mutate(sample)
          writeFileSync(path, isPacked ? again(gzipSync(bytes)) : bytes)
          await inTime(readAll(path, format))
        },
      ),
      fuzzRuns(25),
    )
  })
})

async function readAll(path: string, format: string): Promise<number> {
  let rows = 0
  try {
    const settings = { format, idColumn: null, acceptTruncated: false }
    for await (const batch of readItems(await openInput([{ name: 'stale', path }], settings))) {
      rows += batch.length
      for (const { item } of batch) item.record()
    }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    expect(error.message).toMatch(/^stale\b.* .+/)
  }
  return rows
}

const bombBytes = 40_000_000

test.for([
  {
    what: 'a cell without an end',
    text: () => Buffer.concat([Buffer.from('conversation_id\n"'), Buffer.alloc(bombBytes, 'a')]),
  },
  {
    what: 'a line without an end',
    text: () => Buffer.concat([Buffer.from('[{"id":"'), Buffer.alloc(bombBytes, 'a')]),
  },
  { what: 'brackets without an end', text: () => Buffer.alloc(bombBytes, '[') },
])('of $what, packed small, no more than a part is held in memory', async ({ text }) => {
  const path = join(home, 'bomb.gz')
  writeFileSync(path, gzipSync(text(), { level: 1 }))
  globalThis.gc?.()
  const before = process.memoryUsage().rss
  let most = 0
  const watching = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss - before)
  }, 20)
  await inTime(readAll(path, 'auto'), 50_000).finally(() => clearInterval(watching))
  expect(most).toBeLessThan(3 * bombBytes)
})

test('a job file that was mutated is loaded, or refused with a sentence', async () => {
  const sample = readFileSync('samples/close-french.ts')
  let number = 0
  await fc.assert(
    fc.asyncProperty(mutations, async (mutate) => {
      const path = join(home, `job-${number++}.ts`)
      writeFileSync(path, mutate(sample))
      try {
        await inTime(loadJob(path))
      } catch (error) {
        if (!(error instanceof UsageError)) throw error
        expect(error.message).toContain(path)
      }
    }),
    fuzzRuns(2),
  )
})
