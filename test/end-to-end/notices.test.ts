import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { hang, type Listener, reset, startListener, status } from '../monitor/listener.js'
import { ada, startFakeApi, hang as unanswered, unavailable } from './fake-api.js'
import {
  cannotTestHere,
  closeAtEnd,
  conversationIds,
  csvOf,
  type Ended,
  expectRefusal,
  openPlace,
  type Place,
  summaryOf,
} from './harness.js'

const ids = conversationIds(24)
const secret = 's3cr3t-path'

async function listen(answer?: Listener['answer']): Promise<Listener> {
  const listener = await startListener(answer)
  closeAtEnd(listener.close)
  return listener
}

/** A place with a list, an API, and one who is told of everything. */
async function scene(script = ada) {
  const place = openPlace()
  place.write('stale.csv', csvOf(ids))
  const [api, listener] = await Promise.all([startFakeApi(script), listen()])
  const run = `run end-conversations -i stale.csv --base-url ${api.url} --yes --api-limit none`.split(' ')
  return { place, api, listener, run }
}

const toldTo = ({ url }: Listener) => ({
  ADA_BULK_NOTIFY: `${url}/hook/${secret}`,
  ADA_BULK_HEARTBEAT: `${url}/ping/${secret}?create=1`,
  ADA_BULK_METRICS_FILE: 'ada.prom',
})

const hooksOf = ({ heard }: Listener) =>
  heard.filter(({ path }) => path.startsWith('/hook')).map(({ body }) => JSON.parse(body))
const pingsOf = ({ heard }: Listener) =>
  heard
    .filter(({ path }) => path.startsWith('/ping'))
    .map(({ path }) => path.replace(/rid=[0-9a-f-]{36}$/, 'rid=…'))
const ping = (word: string) => `/ping/${secret}/${word}?create=1&rid=…`

/** Nothing that the run leaves behind, or says, repeats an address. */
function expectNoSecret(place: Place, { stdout, stderr }: Ended): void {
  expect(stdout + stderr).not.toContain(secret)
  for (const file of readdirSync(place.directory, { recursive: true, withFileTypes: true })) {
    if (file.isFile()) expect(readFileSync(join(file.parentPath, file.name), 'utf8')).not.toContain(secret)
  }
}

/** The samples of a metrics file without their labels. promtool has to find nothing wrong with it. */
function metricsOf(place: Place): Record<string, number> {
  const text = readFileSync(join(place.directory, 'ada.prom'), 'utf8')
  const promtool = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
  if (promtool.error) cannotTestHere('metrics by promtool', 'Install it with `apt-get install prometheus`.')
  else expect(promtool.stdout + promtool.stderr).toBe('')
  const samples = text.matchAll(/^(\w+)\{.*?(?:,status="(\w+)")?\} (.*)$/gm)
  return Object.fromEntries([...samples].map(([, name, of, value]) => [of ?? name, Number(value)]))
}

test('a run that succeeds, and the next one that fails, are told from start to end', async () => {
  const { place, api, listener, run } = await scene()
  const environment = toldTo(listener)
  const ended = await place.run([...run, '--run-dir', 'one'], { environment })
  expect(ended).toMatchObject({ code: 0 })
  const { input: _input, retryOf: _retryOf, ...summary } = summaryOf(join(place.directory, 'one'))
  expect(hooksOf(listener)).toEqual([
    expect.objectContaining({ ...summary, event: 'finished', text: expect.stringContaining('24 succeeded') }),
  ])
  expect(pingsOf(listener)).toEqual([ping('start'), ping('0')])
  expect(metricsOf(place)).toMatchObject({
    ...{
      ada_bulk_run_running: 0,
      ada_bulk_last_exit_code: 0,
      succeeded: 24,
      left: 0,
      ada_bulk_run_calls: 24,
    },
    ada_bulk_last_success_timestamp_seconds: Date.parse(summary.finishedAt) / 1000,
  })

  api.script = () => unavailable
  const failing = [...run, '--run-dir', 'two', '--max-outage', '2s', '--concurrency', '24']
  expect(await place.run(failing, { environment })).toMatchObject({ code: 4 })
  expect(hooksOf(listener).slice(1)).toMatchObject([
    { event: 'breaker-opened', exitCode: null, totals: { left: 24 } },
    { event: 'stopped', exitCode: 4, stoppedBecause: expect.stringContaining('failed every call') },
  ])
  expect(pingsOf(listener).slice(2)).toEqual([ping('start'), ping('log'), ping('4')])
  expect(metricsOf(place)).toMatchObject({
    ...{ ada_bulk_last_exit_code: 4, left: 24 },
    ada_bulk_last_success_timestamp_seconds: Date.parse(summary.finishedAt) / 1000,
  })
  expectNoSecret(place, ended)
})

test('of one that waits for the lock nothing is told: who holds it speaks for itself', async () => {
  const { place, api, listener, run } = await scene(() => unanswered)
  const environment = toldTo(listener)
  const running = place.start(run, { environment })
  await api.arrived(1)
  const second = await place.run(run, { environment })
  expect(second).toMatchObject({ code: 75 })
  expect(metricsOf(place)).toMatchObject({ ada_bulk_run_running: 1 })
  expect(pingsOf(listener)).toEqual([ping('start')])
  expect(hooksOf(listener)).toEqual([])
  running.kill('SIGKILL')
  await running.exited
})

test('a stop that was asked for is told and no failure to a check, and so is what is resumed', async () => {
  const { place, listener, run } = await scene()
  const environment = toldTo(listener)
  expect(await place.run([...run, '--max-items', '1'], { environment })).toMatchObject({ code: 75 })
  const resumed = await place.run(['resume', '--yes'], { environment })
  expect(resumed).toMatchObject({ code: 0 })
  expect(pingsOf(listener)).toEqual([ping('start'), ping('0'), ping('start'), ping('0')])
  expect(hooksOf(listener)).toMatchObject([
    { event: 'stopped', exitCode: 75, stoppedBecause: '--max-items 1 reached' },
    { event: 'finished', exitCode: 0 },
  ])
  // There is nothing to retry, and that is well.
  const { run: name } = summaryOf(place.onlyRun())
  expect(await place.run(['retry', name, '--yes'], { environment })).toMatchObject({ code: 0 })
  expect(pingsOf(listener).at(-1)).toBe(ping('0'))
  expectNoSecret(place, resumed)
})

test.concurrent('that a run cannot start is told, and nothing was sent', async () => {
  const { place, api, listener, run } = await scene()
  const environment = { ...toldTo(listener), ADA_API_KEY: undefined }
  expectRefusal(await place.run(run, { environment }), 'no API key')
  expect(hooksOf(listener)).toMatchObject([
    { event: 'failed-to-start', exitCode: 2, job: 'end-conversations', run: null },
  ])
  expect(pingsOf(listener)).toEqual([ping('2')])
  expect(metricsOf(place)).toMatchObject({ ada_bulk_last_exit_code: 2 })
  expect(api.calls).toEqual([])
})

test.concurrent('a metrics file that cannot be written is refused before anything is sent', async () => {
  const { place, api, listener, run } = await scene()
  const environment = { ...toldTo(listener), ADA_BULK_METRICS_FILE: undefined }
  const ended = await place.run([...run, '--metrics-file', 'not-there/ada.prom'], { environment })
  expectRefusal(ended, /--metrics-file not-there\/ada\.prom: cannot be written/)
  expect(pingsOf(listener)).toEqual([ping('2')])
  expect(api.calls).toEqual([])
  expect(existsSync(place.runs)).toBe(false)
})

test.concurrent('a plain address that leads elsewhere is refused without repeating it', async () => {
  const { place, run } = await scene()
  const ended = await place.run([...run, '--notify', `http://ops.example.com/${secret}?${secret}`])
  expectRefusal(ended, /--notify http:\/\/ops\.example\.com: plain http/)
  expectNoSecret(place, ended)
})

test.concurrent.each([
  ['does not answer', hang, 'no answer in time'],
  ['cuts the connection', reset, '(UND_ERR_SOCKET|ECONNRESET)'],
  ['is broken', status(500), 'HTTP 500'],
  ['is not there', null, 'ECONNREFUSED'],
])('one who is told and %s changes nothing about the run', async (_, answer, words) => {
  const { place, api, run } = await scene()
  const listener = await listen(answer ?? undefined)
  if (answer === null) listener.close()
  const asked = [
    '--notify',
    `${listener.url}/hook/${secret}`,
    '--heartbeat',
    `${listener.url}/ping/${secret}`,
  ]
  const ended = await place.run([...run, ...asked])
  expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining('is finished: 24 items') })
  expect(api.ended.size).toBe(24)
  for (const flag of ['--notify', '--heartbeat']) {
    const line = new RegExp(
      `^ada-bulk: ${flag} ${listener.url}: ${words}\\. The run itself is not affected\\.$`,
      'gm',
    )
    expect(ended.stderr.match(line)).toHaveLength(1)
    expect(readFileSync(join(place.onlyRun(), 'run.log'), 'utf8')).toMatch(`"msg":"${flag} ${listener.url}: `)
  }
  // The run waited for none of them: three tries to tell one that it has begun take longer.
  const { startedAt, finishedAt } = summaryOf(place.onlyRun())
  expect(Date.parse(finishedAt) - Date.parse(startedAt)).toBeLessThan(15_000)
  expectNoSecret(place, ended)
})
