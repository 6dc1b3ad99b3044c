import { describe, expect, test } from 'vitest'
import { type Answer, ada, ended, hangAfter, startFakeApi, tooMany, unavailable } from './fake-api.js'
import { checkpointOf, conversationIds, csvOf, openPlace, reportOf, summaryOf } from './harness.js'

const concurrency = 4
const count = 20

async function scene() {
  const place = openPlace()
  const ids = conversationIds(count)
  place.write('stale.csv', csvOf(ids))
  const api = await startFakeApi()
  const start = (more: readonly string[] = ['--api-limit', 'none']) =>
    place.start([
      ...`run end-conversations -i stale.csv --base-url ${api.url} --yes --concurrency ${concurrency}`.split(
        ' ',
      ),
      ...more,
    ])
  return { place, ids, api, start }
}

/** An answer that waits until it is let go. */
function held(): { answer: Promise<Answer>; letGo: () => void } {
  let letGo = () => {}
  const answer = new Promise<Answer>((resolve) => {
    letGo = () => resolve(ended)
  })
  return { answer, letGo }
}

describe.for([
  { signal: 'SIGHUP', code: 129 },
  { signal: 'SIGINT', code: 130 },
  { signal: 'SIGTERM', code: 143 },
] as const)('$signal', ({ signal, code }) => {
  test.concurrent('finishes and records the calls in flight, reports, and the run can be resumed', async () => {
    const { place, ids, api, start } = await scene()
    const { answer, letGo } = held()
    api.script = ({ index }) => (index <= 3 ? ended : answer)
    const running = start()
    await api.arrived(3 + concurrency)
    running.kill(signal)
    await running.says(new RegExp(`${signal}: finishing the calls in flight`))
    letGo()
    const stopped = await running.exited
    expect(stopped).toMatchObject({
      code,
      signal: null,
      stdout: expect.stringMatching(/Go on with: ada-bulk resume/),
    })
    expect(api.calls).toHaveLength(3 + concurrency)
    const directory = place.onlyRun()
    expect(reportOf(directory).map(({ id, status }) => [id, status])).toEqual(
      ids.slice(0, 3 + concurrency).map((id) => [id, 'succeeded']),
    )
    expect(summaryOf(directory)).toMatchObject({
      exitCode: code,
      stoppedBecause: expect.stringContaining(signal),
      totals: { read: count, succeeded: 3 + concurrency, left: count - 3 - concurrency },
    })
    expect(checkpointOf(directory).at(-1)).toMatchObject({ event: 'stopped', exitCode: code })

    api.script = ada
    expect(await place.run(['resume'])).toMatchObject({ code: 0 })
    expect(reportOf(directory).map(({ id, reason }) => [id, reason])).toEqual(ids.map((id) => [id, 'ended']))
    expect(api.calls).toHaveLength(count)
  })

  test.concurrent('a second time stops at once, and nothing is forgotten', async () => {
    const { place, ids, api, start } = await scene()
    api.script = ({ index }) => (index <= 3 ? ended : hangAfter)
    const running = start()
    await api.arrived(3 + concurrency)
    running.kill(signal)
    await running.says(/Once more stops at once/)
    running.kill(signal)
    expect(await running.exited).toMatchObject({ code, signal: null })
    api.script = ada
    expect(await place.run(['resume', '--yes'])).toMatchObject({ code: 0 })
    const report = reportOf(place.onlyRun())
    expect(report.map(({ id }) => id)).toEqual(ids)
    expect(summaryOf(place.onlyRun()).reasons).toEqual({
      ended: count - concurrency,
      ended_on_retry: concurrency,
    })
    // What was under way is looked at, and found ended: nobody is called twice.
    expect(api.calls).toHaveLength(count)
    expect([...api.looks].sort()).toEqual(ids.slice(3, 3 + concurrency).sort())
  })
})

describe('SIGTERM leaves at once', () => {
  test.concurrent('while an item waits for its retry', async () => {
    const { place, api, start } = await scene()
    api.script = ({ index }) => (index === 1 ? unavailable : ended)
    const running = start(['--api-limit', 'none', '--log-level', 'info'])
    await running.says(/call came to nothing/)
    running.kill('SIGTERM')
    expect(await running.exited).toMatchObject({ code: 143 })
    const first = conversationIds(1)[0]!
    expect(api.timesCalled(first)).toBe(1)
    expect(reportOf(place.onlyRun()).some(({ id }) => id === first)).toBe(false)
    expect(await place.run(['resume'])).toMatchObject({ code: 0 })
    expect(reportOf(place.onlyRun())[0]).toMatchObject({ id: first, reason: 'ended', attempts: '2' })
  })

  test.concurrent('while a 429 keeps everybody waiting for an hour', async () => {
    const { place, api, start } = await scene()
    api.script = () => tooMany({ 'retry-after': '3600' })
    const running = start(['--api-limit', 'none', '--log-level', 'info'])
    await running.says(/call came to nothing/)
    running.kill('SIGTERM')
    expect(await running.exited).toMatchObject({ code: 143 })
    expect(summaryOf(place.onlyRun()).totals).toMatchObject({ read: count, left: count, failed: 0 })
    expect(api.calls.length).toBeLessThanOrEqual(concurrency)
  })

  test.concurrent('while a window is full for an hour', async () => {
    const { place, api, start } = await scene()
    const running = start(['--api-limit', '2/h', '--share', '100%', '--log-level', 'debug'])
    await running.says(/(item settled.*\n.*){2}/)
    running.kill('SIGTERM')
    expect(await running.exited).toMatchObject({ code: 143 })
    expect(api.calls).toHaveLength(2)
    expect(summaryOf(place.onlyRun()).totals).toMatchObject({ succeeded: 2, left: count - 2 })
  })

  test.concurrent('while it waits for its hours', async () => {
    const { place, api, start } = await scene()
    const hour = new Date().getUTCHours()
    const later = [hour + 2, hour + 3].map((each) => `${String(each % 24).padStart(2, '0')}:00`).join('-')
    const running = start(['--hours', later, '--log-level', 'info'])
    await running.says(/run begins/)
    running.kill('SIGTERM')
    expect(await running.exited).toMatchObject({ code: 143 })
    expect(api.calls).toEqual([])
    expect(summaryOf(place.onlyRun()).totals).toMatchObject({ left: count })
  })
})

test.concurrent('SIGTERM after SIGINT stops at once too', async () => {
  const { api, start } = await scene()
  api.script = () => hangAfter
  const running = start()
  await api.arrived(concurrency)
  running.kill('SIGINT')
  await running.says(/Once more stops at once/)
  running.kill('SIGTERM')
  expect(await running.exited).toMatchObject({ code: 143, signal: null })
})

test.concurrent('a signal before the first call, while the input is counted, sends nothing', async () => {
  const { place, api } = await scene()
  const running = place.start(['run', 'end-conversations', '-i', '-', '--base-url', api.url, '--yes'], {
    stdin: 'open',
  })
  running.child.stdin!.write(csvOf(conversationIds(3)))
  await new Promise<void>((resolve) => running.child.stdin!.write('\n', () => resolve()))
  running.kill('SIGTERM')
  const { code, signal } = await running.exited
  expect(code === 143 || signal === 'SIGTERM').toBe(true)
  expect(api.calls).toEqual([])
})
