import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ada, type FakeApi, hang, hangAfter, startFakeApi, unavailable } from './fake-api.js'
import {
  checkpointOf,
  conversationIds,
  csvOf,
  openPlace,
  type Place,
  type Running,
  reportOf,
  summaryOf,
} from './harness.js'

const concurrency = 4
const count = 40

async function scene() {
  const place = openPlace()
  const ids = conversationIds(count)
  place.write('stale.csv', csvOf(ids))
  const api = await startFakeApi()
  const start = (environment = {}): Running =>
    place.start(
      `run end-conversations -i stale.csv --run-dir ${place.directory}/run --base-url ${api.url} --yes --api-limit 5000/s --concurrency ${concurrency} --timeout 10s --quiet`.split(
        ' ',
      ),
      { environment },
    )
  return { place, ids, api, start, directory: join(place.directory, 'run') }
}

/** Everything that is promised of a run that was killed some times and has come to its end. */
function expectWhole(ids: readonly string[], api: FakeApi, directory: string, kills: number): void {
  const report = reportOf(directory)
  expect(report.map(({ id }) => id)).toEqual(ids)
  expect(new Set(report.map(({ status }) => status))).toEqual(new Set(['succeeded']))
  expect(ids.filter((id) => !api.ended.has(id))).toEqual([])
  const { totals, exitCode, stoppedBecause, requests } = summaryOf(directory)
  expect({ exitCode, stoppedBecause }).toEqual({ exitCode: 0, stoppedBecause: null })
  expect(totals).toMatchObject({ read: ids.length, succeeded: ids.length, left: 0 })
  const calledAgain = ids.filter((id) => api.timesCalled(id) > 1)
  expect(calledAgain.length).toBeLessThanOrEqual(kills * concurrency)
  for (const id of ids) expect(api.timesCalled(id)).toBeLessThanOrEqual(1 + kills)
  // A call that was noted may have been killed before it left; none leaves without a note.
  const arrived = api.calls.length + api.looks.length
  expect(requests.sent).toBeGreaterThanOrEqual(arrived)
  expect(requests.sent).toBeLessThanOrEqual(arrived + kills * concurrency)
  expect(api.mostInFlightForOneId).toBe(1)
  // Whoever may have been ended by a call is looked at before the next, and an end by that call is told from one by somebody else.
  expect(api.calls.filter(({ isEnded }) => isEnded)).toEqual([])
  for (const { id, reason } of report) {
    if (api.looks.includes(id)) expect(reason).toMatch(/^ended(_on_retry)?$/)
    else expect({ id, reason, calls: api.timesCalled(id) }).toEqual({ id, reason: 'ended', calls: 1 })
  }
}

async function resume(place: Place, directory: string, says = /^$/) {
  const resumed = await place.run(['resume', directory, '--yes', '--quiet'])
  expect(resumed).toMatchObject({ code: 0, stderr: expect.stringMatching(says) })
}

describe('kill -9', () => {
  test.concurrent.for([1, 2, 6, 23, 40])(
    'at the arrival of call %i: nothing is lost, and only calls in flight are made twice',
    async (killAt) => {
      const { place, ids, api, start, directory } = await scene()
      api.script = (call) => {
        if (call.index !== killAt) return ada(call)
        running.kill('SIGKILL')
        return hang
      }
      const running = start()
      expect(await running.exited).toMatchObject({ signal: 'SIGKILL' })
      api.script = ada
      await resume(place, directory)
      expectWhole(ids, api, directory, 1)
    },
  )

  test.concurrent.for([1, 16, 40])(
    'after the answer to call %i: nothing is lost, and only calls in flight are made twice',
    async (killAt) => {
      const { place, ids, api, start, directory } = await scene()
      api.onAnswered = ({ index }) => {
        if (index === killAt) running.kill('SIGKILL')
      }
      const running = start()
      expect(await running.exited).toMatchObject({ signal: 'SIGKILL' })
      api.onAnswered = () => {}
      await resume(place, directory)
      expectWhole(ids, api, directory, 1)
    },
  )

  test.concurrent('three times in a row, then the run comes to its end all the same', async () => {
    const { place, ids, api, start, directory } = await scene()
    const lives = [start, ...Array(2).fill(() => place.start(['resume', directory, '--yes', '--quiet']))]
    for (const [life, begin] of lives.entries()) {
      const killAt = api.calls.length + [9, 11, 1][life]!
      api.script = (call) => {
        if (call.index < killAt) return ada(call)
        running.kill('SIGKILL')
        return hangAfter
      }
      const running: Running = begin()
      expect(await running.exited).toMatchObject({ signal: 'SIGKILL' })
    }
    api.script = ada
    await resume(place, directory)
    expectWhole(ids, api, directory, lives.length)
    expect(
      checkpointOf(directory).filter(({ event }) => event !== undefined && event !== 'waited'),
    ).toMatchObject([
      { event: 'started' },
      { event: 'resumed' },
      { event: 'resumed' },
      { event: 'resumed' },
      { event: 'finished' },
    ])
  })

  test.concurrent('while calls hang that have had their effect: the resumed run knows that answers were lost', async () => {
    const { place, ids, api, start, directory } = await scene()
    api.script = () => hangAfter
    const running = start()
    await api.arrived(concurrency)
    running.kill('SIGKILL')
    await running.exited
    expect(await place.run(['status', directory, '--json'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('"state": "crashed"'),
    })
    api.script = ada
    await resume(place, directory)
    expectWhole(ids, api, directory, 1)
    expect(summaryOf(directory).reasons).toEqual({ ended: count - concurrency, ended_on_retry: concurrency })
  })

  test.concurrent('during the wait for a retry: what was answered and what was lost is remembered', async () => {
    const { place, api, directory } = await scene()
    const [lost, refused] = conversationIds(2, 7) as [string, string]
    place.write('stale.csv', csvOf([lost, refused]))
    // Both are ended by their first call. Of the first nobody hears, the second is told 503.
    api.script = (call) =>
      call.nth > 1 ? ada(call) : call.id === lost ? hangAfter : { ...unavailable, ends: true }
    const running = place.start(
      `run end-conversations -i stale.csv --run-dir ${directory} --base-url ${api.url} --yes --api-limit none --log-level info`.split(
        ' ',
      ),
    )
    await running.says(/call came to nothing/)
    running.kill('SIGKILL')
    await running.exited
    expect(await place.run(['resume', directory, '--yes'])).toMatchObject({ code: 0 })
    expect(reportOf(directory)).toMatchObject([
      { id: lost, reason: 'ended_on_retry', attempts: '2' },
      { id: refused, attempts: '2' },
    ])
    expect(reportOf(directory)[1]!.reason, 'the note that an answer came survives the kill').toBe(
      'already_ended',
    )
  })

  test.concurrent('a torn last line is cut off, and said', async () => {
    const { place, ids, api, start, directory } = await scene()
    api.script = (call) => (call.index > 12 ? hang : ada(call))
    const running = start()
    await api.arrived(12 + concurrency)
    running.kill('SIGKILL')
    await running.exited
    const path = join(directory, 'checkpoint.jsonl')
    appendFileSync(path, '{"n":39,"status":"succeeded","reason":"ended","id":"66f0b7000000')
    api.script = ada
    await resume(place, directory, /^[^\n]*checkpoint\.jsonl, line \d+ [^\n]*\. Cut off: [^\n]*\n$/)
    expectWhole(ids, api, directory, 1)
    expect(() => checkpointOf(directory)).not.toThrow()
  })

  test.concurrent('a line in the middle that was altered is named, and nothing is sent', async () => {
    const { place, api, start, directory } = await scene()
    api.script = (call) => (call.index > 12 ? hang : ada(call))
    const running = start()
    await api.arrived(12 + concurrency)
    running.kill('SIGKILL')
    await running.exited
    const path = join(directory, 'checkpoint.jsonl')
    const lines = readFileSync(path, 'utf8').split('\n')
    lines[3] = `# ${lines[3]}`
    writeFileSync(path, lines.join('\n'))
    const calls = api.calls.length
    expect(await place.run(['resume', directory, '--yes'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^ada-bulk: .*checkpoint\.jsonl, line 4 .*Nothing was called\. .*--accept-damaged-record.*\n$/,
      ),
    })
    expect(api.looks).toEqual([])
    expect(api.calls).toHaveLength(calls)
  })
})

/** Dies within its own work on files; a write dies half done. */
describe('kill -9 in the middle of a step on disk', () => {
  const preload = `--import ${resolve(import.meta.dirname, 'die-at-step.mjs')}`

  // About 36 steps: 11 until the run has begun, then the checkpoint, from 30 on the reports.
  test.concurrent.for([1, 5, 8, 11, 14, 16, 19, 22, 26, 31, 34])('step %i', async (step) => {
    const { place, api, directory } = await scene()
    const ids = conversationIds(4)
    place.write('stale.csv', csvOf(ids))
    const args =
      `run end-conversations -i stale.csv --run-dir ${directory} --base-url ${api.url} --yes --api-limit none --concurrency 2 --quiet`.split(
        ' ',
      )
    const died = await place.run(args, {
      environment: { NODE_OPTIONS: preload, DIE_AT_STEP: String(step), STEPS_BELOW: directory },
    })
    // How many steps there are depends on how many lines share a sync; the last may not be reached.
    expect(died).toMatchObject(died.code === 0 ? { signal: null } : { signal: 'SIGKILL', stderr: '' })
    // What has no run.json yet has not begun.
    const again = await place.run([...args, '--continue'])
    expect(again).toMatchObject({ code: 0 })
    expect(existsSync(join(directory, 'report.csv')), 'a run that died before its report gets one').toBe(true)
    expectWhole(ids, api, directory, 1)
  })

  test.concurrent.for(['report.csv', 'summary.json'])(
    'before its last %s is in place: the next resume writes it',
    async (file) => {
      const { place, api, directory } = await scene()
      const ids = conversationIds(4)
      place.write('stale.csv', csvOf(ids))
      const first = `run end-conversations -i stale.csv --run-dir ${directory} --base-url ${api.url} --yes --api-limit none --max-items 2`
      expect(await place.run(first.split(' '))).toMatchObject({ code: 75 })
      const died = await place.run(['resume', directory, '--yes', '--quiet'], {
        environment: { NODE_OPTIONS: preload, DIE_BEFORE_FILE: file, STEPS_BELOW: directory },
      })
      expect(died).toMatchObject({ signal: 'SIGKILL' })
      // What lies there is the report of the first stop.
      await resume(place, directory)
      expectWhole(ids, api, directory, 0)
    },
  )
})
