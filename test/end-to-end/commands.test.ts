import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ada, hang, notFound, portWithoutListener, startFakeApi, unavailable } from './fake-api.js'
import {
  closeAtEnd,
  conversationIds,
  csvOf,
  openPlace,
  reportColumns,
  reportOf,
  summaryOf,
} from './harness.js'

async function scene(count = 6) {
  const place = openPlace()
  const ids = conversationIds(count)
  place.write('stale.csv', csvOf(ids))
  const api = await startFakeApi()
  const args = (flags = '') =>
    `run end-conversations -i stale.csv --base-url ${api.url} --yes --api-limit none ${flags}`
      .trim()
      .split(/ +/)
  return { place, ids, api, args }
}

test.concurrent('status tells a run that is live, stopped, crashed or finished', async () => {
  const { place, api, args } = await scene()
  const statusJson = async () => JSON.parse((await place.run(['status', '--json'])).stdout)[0]
  expect(await place.run(['status'])).toMatchObject({ code: 0, stdout: expect.stringContaining('no runs') })
  api.script = (call) => (call.index > 2 ? hang : ada(call))
  const running = place.start(args('--concurrency 1'))
  await api.arrived(3)
  expect(await statusJson()).toMatchObject({
    state: 'running',
    job: 'end-conversations',
    holder: { pid: running.pid },
    exitCode: null,
    totals: { read: 6, succeeded: 2, left: 4 },
    requests: { sent: 3, rateLimited: 0 },
  })
  const name = place.onlyRun().split('/').at(-1)!
  expect(await place.run(['status', name])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`running, process ${running.pid}`),
  })
  running.kill('SIGKILL')
  await running.exited
  expect(await statusJson()).toMatchObject({ state: 'crashed', holder: null, totals: { succeeded: 2 } })
  api.script = ada
  await place.run(['resume', '--yes', '--max-items', '1'])
  expect(await statusJson()).toMatchObject({
    state: 'stopped',
    exitCode: 75,
    stoppedBecause: expect.stringContaining('--max-items'),
    totals: { succeeded: 3 },
  })
  await place.run(['resume', '--yes'])
  expect(await statusJson()).toMatchObject({
    state: 'finished',
    exitCode: 0,
    totals: { succeeded: 6, left: 0 },
  })
  expect(await place.run(['status'])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/finished.*6\/6/),
  })
})

test.concurrent('retry runs what failed or is unknown in a new run that is linked to the old', async () => {
  const { place, ids, api, args } = await scene()
  api.script = (call) =>
    call.id === ids[1] ? notFound : call.id === ids[3] ? unavailable : call.id === ids[4] ? hang : ada(call)
  expect(await place.run(args('--attempts 1 --timeout 1s'))).toMatchObject({
    code: 3,
    stdout: expect.stringContaining('ada-bulk retry'),
  })
  const old = place.onlyRun()
  expect(reportOf(old).map(({ status }) => status)).toEqual([
    'succeeded',
    'failed',
    'succeeded',
    'failed',
    'unknown',
    'succeeded',
  ])
  api.script = ada
  const before = api.calls.length
  const retried = await place.run(['retry', old, '--yes', '--json', '--run-dir', 'again'])
  expect(retried).toMatchObject({ code: 0 })
  expect(JSON.parse(retried.stdout)).toMatchObject({
    retryOf: old.split('/').at(-1),
    totals: { read: 3, succeeded: 3 },
  })
  expect(
    api.calls
      .slice(before)
      .map(({ id }) => id)
      .sort(),
  ).toEqual([ids[1], ids[3], ids[4]])
  expect(reportOf(join(place.directory, 'again')).map(({ id }) => id)).toEqual([ids[1], ids[3], ids[4]])
  // Of a run in which nothing failed there is nothing to retry.
  expect(await place.run(['retry', 'again', '--yes'])).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('nothing to retry'),
  })
})

test.concurrent('a retried run can be killed and resumed like any other', async () => {
  const { place, ids, api, args } = await scene()
  api.script = () => notFound
  await place.run(args('--max-failures 100%'))
  const old = place.onlyRun()
  api.script = (call) => (call.index > ids.length + 2 ? hang : ada(call))
  const running = place.start(['retry', old, '--yes', '--run-dir', 'again', '--concurrency', '1'])
  await api.arrived(ids.length + 3)
  running.kill('SIGKILL')
  await running.exited
  api.script = ada
  expect(await place.run(['resume', 'again', '--yes'])).toMatchObject({ code: 0 })
  expect(summaryOf(join(place.directory, 'again'))).toMatchObject({ totals: { read: 6, succeeded: 6 } })
})

test.concurrent('report writes the report again, in each format, to a file or stdout, and while the run is live', async () => {
  const { place, ids, api, args } = await scene()
  api.script = (call) => (call.index > 2 ? hang : ada(call))
  const running = place.start(args('--concurrency 1'))
  await api.arrived(3)
  const directory = place.onlyRun()
  const live = await place.run(['report', directory, '--output', '-'])
  expect(live).toMatchObject({ code: 0, stderr: '' })
  expect(live.stdout.trim().split('\n')).toHaveLength(1 + 2)
  running.kill('SIGKILL')
  await running.exited
  api.script = ada
  await place.run(['resume', '--yes', '--quiet'])

  const written = readFileSync(join(directory, 'report.csv'), 'utf8')
  expect(await place.run(['report', directory, '--format', 'csv', '--output', '-'])).toMatchObject({
    stdout: written,
  })
  expect(await place.run(['report', directory.split('/').at(-1)!, '--format', 'jsonl'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('report.jsonl'),
  })
  const lines = readFileSync(join(directory, 'report.jsonl'), 'utf8').trim().split('\n')
  expect(lines.map((line) => JSON.parse(line).id)).toEqual(ids)
  expect(Object.keys(JSON.parse(lines[0]!))).toEqual([...reportColumns])
  expect(await place.run(['report', directory, '--format', 'csv', '-o', 'mine.csv'])).toMatchObject({
    code: 0,
    stdout: 'mine.csv\n',
  })
  expect(readFileSync(join(place.directory, 'mine.csv'), 'utf8')).toBe(written)
  const unwritable = await place.run(['report', directory, '-o', 'stale.csv/mine.csv'])
  expect(unwritable).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^ada-bulk: cannot write .*ENOTDIR/),
  })
})

test.concurrent('resume of a finished run says so, and sends nothing', async () => {
  const { place, api, args } = await scene(2)
  await place.run(args())
  expect(await place.run(['resume'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('no unfinished run'),
  })
  const again = await place.run(['resume', place.onlyRun(), '--json'])
  expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining('nothing is left to do') })
  expect(JSON.parse(again.stdout)).toEqual(summaryOf(place.onlyRun()))
  expect(api.calls).toHaveLength(2)
})

test.concurrent('jobs lists the jobs', async () => {
  const place = openPlace()
  expect(await place.run(['jobs'])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^end-conversations {2}\w/m),
  })
  expect(JSON.parse((await place.run(['jobs', '--json'])).stdout)).toContainEqual({
    job: 'end-conversations',
    describe: expect.any(String),
    operation: 'end-conversation',
    flags: expect.any(Array),
  })
})

test.concurrent('commands have help with examples, on stdout', async () => {
  const place = openPlace()
  const names = ['run', 'plan', 'resume', 'retry', 'status', 'report', 'jobs', 'sandbox', 'doctor']
  const all = await place.run(['--help'])
  for (const name of names) expect(all.stdout).toContain(`ada-bulk ${name}`)
  for (const name of ['run', 'status', 'sandbox']) {
    const { code, stdout, stderr } = await place.run([name, '--help'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/Examples:/)
    expect(stdout).toContain(`ada-bulk ${name}`)
  }
})

test.concurrent('doctor: all is right, the key is wrong, nobody answers, settings are missing', async () => {
  const place = openPlace()
  const api = await startFakeApi()
  const doctor = async (args: readonly string[], environment: Record<string, string | undefined> = {}) => {
    const { code, stdout, stderr } = await place.run(['doctor', '--json', ...args], { environment })
    const { isRight, checks } = JSON.parse(stdout) as {
      isRight: boolean
      checks: { name: string; isRight: boolean; finding: string }[]
    }
    expect(isRight).toBe(code === 0)
    expect(stderr).toBe('')
    return { code, wrong: checks.filter((check) => !check.isRight).map(({ name }) => name), checks }
  }
  const right = await doctor(['--sandbox'])
  expect(right).toMatchObject({ code: 0, wrong: [] })
  expect(right.checks.map(({ name }) => name)).toEqual(['node', 'address', 'key', 'clock', 'disk', 'state'])
  const port = await portWithoutListener()
  const wrongs = await Promise.all([
    doctor(['--base-url', `http://127.0.0.1:${port}`]),
    doctor([], { ADA_API_KEY: undefined, ADA_BASE_URL: api.url }),
    doctor([]),
    doctor(['--base-url', 'https://acme.ada.support/somewhere']),
  ])
  expect(wrongs).toMatchObject([
    { code: 3, wrong: ['address'] },
    { code: 3, wrong: ['key'] },
    { code: 3, wrong: ['address'] },
    { code: 3, wrong: ['address'] },
  ])
  expect(api.calls).toEqual([])
})

test.concurrent('a forecast knows of the calls that were just made', async () => {
  const { place, api } = await scene()
  const flags = `end-conversations -i stale.csv --base-url ${api.url} --api-limit 10/m --share 100%`.split(
    ' ',
  )
  const seconds = async () => JSON.parse((await place.run(['plan', ...flags, '--json'])).stdout).seconds
  expect(await seconds()).toBe(0)
  expect(readdirSync(place.state)).toEqual([])
  expect(await place.run(['run', ...flags, '--yes'])).toMatchObject({ code: 0 })
  // Six places of ten are taken: two of the next six calls wait until the first come back.
  expect(await seconds()).toBeGreaterThan(20)
  expect(await seconds()).toBeLessThanOrEqual(60)
})

test.concurrent('a host that answers everything with a web page is not taken for the API', async () => {
  const { place } = await scene()
  const server = createServer((request, response) => {
    request.resume()
    response.end('<!doctype html><title>Welcome</title>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closeAtEnd(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  expect(await place.run(['doctor', '--base-url', url])).toMatchObject({
    code: 3,
    stdout: expect.stringMatching(/^NOT address .*does not answer like Ada's API/m),
  })
  const words = `run end-conversations -i stale.csv --base-url ${url} --yes --api-limit none --attempts 1 --max-outage 2s`
  expect(await place.run(words.split(' '))).toMatchObject({ code: 4 })
  expect(summaryOf(place.onlyRun())).toMatchObject({ totals: { succeeded: 0, failed: 0 } })
})

test.concurrent('sandbox serves until it is told to stop; doctor finds a wrong key there', async () => {
  const place = openPlace()
  const sandbox = place.start(['sandbox', '--port', '0', '--key', 'another-key', '--json'])
  await sandbox.says(/"url"/)
  const { url } = JSON.parse(sandbox.stdout)
  const doctor = (key: string) =>
    place.run(['doctor', '--base-url', url], { environment: { ADA_API_KEY: key } })
  expect(await doctor('another-key')).toMatchObject({ code: 0 })
  expect(await doctor('wrong-key')).toMatchObject({
    code: 3,
    stdout: expect.stringMatching(/^NOT key +is refused \(HTTP 401/m),
  })
  sandbox.kill('SIGTERM')
  expect(await sandbox.exited).toMatchObject({ code: 143 })
})

test.concurrent('a run against a sandbox that was started by itself is marked as practice, any other is not', async () => {
  const { place, api, args } = await scene()
  const sandbox = place.start(['sandbox', '--json'])
  await sandbox.says(/\n/)
  const { url } = JSON.parse(sandbox.stdout)
  const words = args().map((word) => (word === api.url ? url : word))
  const environment = { ADA_API_KEY: 'sandbox-key' }
  await place.run([...words, '--run-dir', 'practice'], { environment })
  await place.run([...args(), '--run-dir', 'real'])
  const page = (run: string) => readFileSync(join(place.directory, run, 'report.html'), 'utf8')
  expect(page('practice')).toContain('Practice run')
  expect(page('real')).not.toContain('Practice run')
  expect(await place.run(['verify', 'practice'])).toMatchObject({ code: 0 })
})
