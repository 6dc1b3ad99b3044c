import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sandboxKey } from '../../src/sandbox/options.js'
import { startSandbox } from '../sandbox/sandboxes.js'
import { cli } from '../torture/cli.js'

const home = mkdtempSync(join(tmpdir(), 'ada-bulk-damaged-'))
const whole = join(home, 'whole')
const runs = join(home, 'runs')
const run = join(runs, 'bent')
const checkpoint = join(run, 'checkpoint.jsonl')
const environment = { ADA_BULK_RUNS: runs, ADA_BULK_STATE: join(home, 'state'), ADA_API_KEY: sandboxKey }

beforeAll(async () => {
  const sandbox = await startSandbox({ limits: 'none' })
  const list = join(home, 'stale.csv')
  cpSync('samples/conversations.csv', list)
  const words = ['run', 'end-conversations', '--input', list, '--run-dir', whole, '--max-items', '4']
  await cli([...words, '--api-limit', 'none', '--yes', '--quiet'], {
    ...environment,
    ADA_BASE_URL: sandbox.url,
  })
  await sandbox.close()
})
afterAll(() => rmSync(home, { recursive: true, force: true }))
beforeEach(() => {
  rmSync(runs, { recursive: true, force: true })
  cpSync(whole, run, { recursive: true })
})

const at = '2026-11-22T20:35:45.874Z'
const edit = (name: string, change: (text: string) => string) =>
  writeFileSync(join(run, name), change(readFileSync(join(run, name), 'utf8')))

describe('a run.json that is damaged', () => {
  test('is refused on one line that says what is wrong in it and what to do', async () => {
    edit('run.json', (text) => text.replace(/"share": [\d.]+/, '"share": "\\u001b[2J"'))
    const { code, said } = await cli(['status', run], environment)
    expect(code).toBe(2)
    expect(said).toMatch(/run\.json is damaged \(settings\.share: expected a number .*\)\. Put back .*\n$/)
    expect(said.trim()).not.toMatch(/[\n\u001b]/)
  })

  test('does not hide the other runs', async () => {
    cpSync(whole, join(runs, 'other'), { recursive: true })
    writeFileSync(join(run, 'run.json'), '{')
    const { code, said } = await cli(['status'], environment)
    expect(code).toBe(0)
    expect(said).toMatch(/whole +stopped/)
    expect(said).toMatch(/bent +damaged/)
    expect(said).toContain(`cannot read ${join(run, 'run.json')}`)
    const listed = JSON.parse((await cli(['status', '--json'], environment)).said)
    expect(listed.map(({ state }: { state: string }) => state).sort()).toEqual(['damaged', 'stopped'])
  })
})

describe('a line of the checkpoint that no run writes', () => {
  const settled = (fields: object) => ({ ...{ n: 3, status: 'succeeded', reason: 'ended' }, ...fields })
  const rest = { id: 'x', http: 200, attempts: 1, at, ms: 5, message: '', source: 'stale.csv', line: 9 }
  test.for<[string, object | string]>([
    ['a row that ends too early', '{"n":120,"status":"succeeded","reason":"ended","id":"x","http":['],
    ['a row with a time that is none', settled({ ...rest, n: 120, at: '2026-99-99T99:99:99.999Z' })],
    ['a row without a message', settled({ ...rest, n: 120, message: null })],
    ['a number that no input has', settled({ ...rest, n: 4_000_000_000 })],
    ['a call at no time', { sent: 120, id: 'x', at: 'once' }],
    ['a batch of nobody', { batch: 'r', did: 'sent', at, n: { every: 1 } }],
    ['a stop for no reason', { event: 'stopped', at, exitCode: 75 }],
    ['an end at no time', { event: 'finished', at: 'once', exitCode: 0 }],
    ['an input that is none', { event: 'input-changed', at, input: 5, plan: {} }],
    ['a pace that is none', { event: 'throttled', at, by: 'a', host: 'b', share: 'all', limits: {} }],
    ['a wait for nothing', { event: 'waited', at, ms: null }],
    ['nothing', 'null'],
  ])('%s: every command names it in a sentence', async ([, line]) => {
    appendFileSync(checkpoint, `${typeof line === 'string' ? line : JSON.stringify(line)}\n`)
    const said = []
    for (const format of ['csv', 'html']) {
      const one = await cli(['report', run, '--format', format], environment)
      expect([0, 2]).toContain(one.code)
      said.push(one.said)
    }
    expect(said.join('')).toMatch(/checkpoint\.jsonl, (line|byte) \d+: not a line of a checkpoint/)
    expect([0, 2]).toContain((await cli(['status', run], environment)).code)
    expect([2, 3]).toContain((await cli(['verify', run], environment)).code)
  })

  test('a number that is far too large costs no memory', async () => {
    const before = process.memoryUsage().rss
    appendFileSync(checkpoint, `${JSON.stringify(settled({ ...rest, n: 2 ** 28 - 1 }))}\n`)
    expect((await cli(['report', run], environment)).code).toBe(0)
    expect(process.memoryUsage().rss - before).toBeLessThan(300_000_000)
  })
})

describe('a resumed run', () => {
  const resumed = (...flags: string[]) => cli(['resume', run, '--yes', ...flags], environment)
  const damage = (line: number) =>
    edit('checkpoint.jsonl', (text) => {
      const lines = text.split('\n')
      lines[line - 1] = `${lines[line - 1]!.slice(0, 20)}${'\0'.repeat(40)}`
      return lines.join('\n')
    })

  test('names damage in the middle, and goes on only when a person accepts it', async () => {
    damage(4)
    const refused = await resumed()
    expect(refused.code).toBe(2)
    expect(refused.said).toMatch(/checkpoint\.jsonl, line 4 is damaged\. .*--accept-damaged-record/)
    const verified = await cli(['verify', run, '--without-input'], environment)
    expect(verified).toMatchObject({ code: 3, said: expect.stringContaining('line 4') })
    const accepted = await resumed('--accept-damaged-record', '--max-outage', '1s')
    expect(accepted.said).toContain('Left out 1 damaged line')
    expect((await cli(['report', run], environment)).code).toBe(0)
    expect(readFileSync(join(run, 'run.log'), 'utf8')).toContain('Left out 1 damaged line')
  })

  test('cuts a tail of zeros, and says so', async () => {
    appendFileSync(checkpoint, '\0'.repeat(4096))
    const { said } = await resumed('--max-outage', '1s')
    expect(said).toMatch(/checkpoint\.jsonl, line \d+ ends too early\. Cut off/)
    expect(readFileSync(join(run, 'run.log'), 'utf8')).toContain('Cut off')
    expect((await cli(['report', run], environment)).code).toBe(0)
  })
})

describe('what others read beside', () => {
  test('a summary.json that is none is what verify complains of, and nobody stumbles over', async () => {
    for (const text of ['', '{"input":{"map":1}}']) {
      writeFileSync(join(run, 'summary.json'), text)
      const { code, said } = await cli(['verify', run], environment)
      expect(code).toBe(3)
      expect(said).toMatch(/NOT +totals +summary\.json is there, and is none/)
    }
  })

  test('a lock that says nothing usable is held by nobody', async () => {
    writeFileSync(join(run, '.lock.9'), JSON.stringify({ pid: 'x', host: 5, since: {} }))
    expect((await cli(['status', run], environment)).said).toMatch(/stopped \(75\)/)
  })
})
