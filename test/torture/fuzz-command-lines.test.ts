import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { cli, commandNames } from './cli.js'
import { fuzzRuns, inTime } from './mutations.js'

const home = mkdtempSync(join(tmpdir(), 'ada-bulk-words-'))
const list = join(home, 'stale.csv')
writeFileSync(list, 'conversation_id\n66f2a91c4be07d3f5c1e0001\n66f2a91c4be07d3f5c1e0002\n')
afterAll(() => rmSync(home, { recursive: true, force: true }))

/** Nobody listens there. */
const environment = {
  ADA_API_KEY: 'k3y-0f-a-test',
  ADA_BASE_URL: 'http://127.0.0.1:9',
  ADA_BULK_RUNS: join(home, 'runs'),
  ADA_BULK_STATE: join(home, 'state'),
}

const flags = [
  'input format id-column base-url handle region api-key-file env-file max-items max-duration limit',
  'share hours concurrency timeout attempts max-failures hold idle run-dir runs-dir log-level progress',
  'created-after language where variable plan output yes quiet json dry-run continue parallel',
  'check-first accept-truncated no-such-flag',
].flatMap((line) => line.split(' '))
const value = fc.oneof(
  fc.constantFrom(
    ...[list, home, '', 'has(csat.score) && csat.score < 3', 'a\u0000b', '\n', '9'.repeat(30)],
    ...'/proc/x - -- 0 -1 1e999 100% 0% 30/s 1/0s none 14d 22:00-06:00 24:61-1 csv json xml info bar'.split(
      ' ',
    ),
    ...'https://acme.ada.support ftp://x http://[ acme constructor __proto__ (((((( a=b = latest 🙂'.split(
      ' ',
    ),
  ),
  fc.string({ maxLength: 12 }),
)
const flag = fc.constantFrom(...flags)
const word = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(flag, value).map(([name, text]) => [`--${name}`, text]) },
  { weight: 2, arbitrary: fc.tuple(flag, value).map(([name, text]) => [`--${name}=${text}`]) },
  { weight: 2, arbitrary: flag.map((name) => [`--${name}`]) },
  { weight: 1, arbitrary: value.map((text) => [text]) },
)
const subject = fc.constantFrom(
  'end-conversations',
  'close-stale',
  'end-handoffs',
  'no-such-job',
  'latest',
  list,
  '',
)

test('whatever is typed ends with a sentence and an exit code, and nothing is sent', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...commandNames.filter((name) => name !== 'export' && name !== 'doctor')),
      subject,
      fc.array(word, { maxLength: 6 }),
      async (command, about, words) => {
        // Calls to where nobody listens are tried again and again: what would run is only planned.
        const safe = command === 'run' ? ['--dry-run'] : []
        const all = [command, about, ...words.flat().filter((text) => text !== '-'), ...safe]
        const { code, said } = await inTime(cli(all, environment))
        expect([0, 2, 3, 75]).toContain(code)
        expect(said).not.toMatch(/\n {4}at |\[object Object\]/)
        expect(said).not.toContain(environment.ADA_API_KEY)
        if (code === 2) expect(said).toMatch(/\w+ \w+/)
      },
    ),
    fuzzRuns(60),
  )
})
