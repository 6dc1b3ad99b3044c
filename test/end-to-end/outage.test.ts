import { expect, test } from 'vitest'
import { ada, startFakeApi, unavailable } from './fake-api.js'
import { conversationIds, csvOf, openPlace, reportOf, summaryOf } from './harness.js'

const ids = conversationIds(24)
const settings = '--yes --api-limit none --concurrency 24 --attempts 3 --max-failures 100%'

test.concurrent('an API that fails for everybody stops the run, and leaves everything for later', async () => {
  const place = openPlace()
  place.write('stale.csv', csvOf(ids))
  const api = await startFakeApi(() => unavailable)
  api.isDown = true
  const run = await place.run(
    `run end-conversations -i stale.csv --base-url ${api.url} ${settings} --max-outage 2s`.split(' '),
  )
  expect(run).toMatchObject({ code: 4 })
  expect(summaryOf(place.onlyRun())).toMatchObject({
    exitCode: 4,
    stoppedBecause: expect.stringMatching(/has failed every call for .*Service temporarily unavailable/),
    totals: { read: 24, left: 24, failed: 0 },
  })
  expect(reportOf(place.onlyRun())).toEqual([])
  // When all failed nobody hammers: the pause, and then one call at a time to see.
  expect(api.calls.length).toBeLessThanOrEqual(24 + 4)
  Object.assign(api, { script: ada, isDown: false })
  expect(await place.run(['resume', '--yes'])).toMatchObject({ code: 0 })
  expect(summaryOf(place.onlyRun()).totals).toMatchObject({ succeeded: 24, left: 0 })
})

test.concurrent.for([1, 3, 24])('an outage that ends costs no item, with %i of them', async (count) => {
  const place = openPlace()
  place.write('stale.csv', csvOf(ids.slice(0, count)))
  const startMs = performance.now()
  const api = await startFakeApi((call) => (isOver() ? ada(call) : unavailable))
  function isOver(): boolean {
    api.isDown = performance.now() - startMs < 15_000
    return !api.isDown
  }
  api.isDown = true
  const run = await place.run(
    `run end-conversations -i stale.csv --base-url ${api.url} ${settings}`.split(' '),
  )
  expect(run).toMatchObject({ code: 0 })
  expect(summaryOf(place.onlyRun()).totals).toMatchObject({ succeeded: count })
})

test.concurrent('an API that fails one item, and then all, fails nobody', async () => {
  const place = openPlace()
  place.write('stale.csv', csvOf(ids))
  const api = await startFakeApi(() => unavailable)
  api.isDown = true
  const args = `run end-conversations -i stale.csv --base-url ${api.url} --yes --api-limit none --attempts 2 --max-items 10 --max-outage 3s`
  expect(await place.run(args.split(' '))).toMatchObject({ code: 4 })
  expect(summaryOf(place.onlyRun()).totals).toMatchObject({ failed: 0, unknown: 0, left: 24 })
})

test.concurrent('a few items that always fail are no outage', async () => {
  const place = openPlace()
  place.write('stale.csv', csvOf(ids))
  const bad = new Set(ids.slice(0, 10))
  const api = await startFakeApi((call) => (bad.has(call.id) ? unavailable : ada(call)))
  const args = `run end-conversations -i stale.csv --base-url ${api.url} ${settings} --attempts 1`.replace(
    '--attempts 3 ',
    '',
  )
  expect(await place.run(args.split(' '))).toMatchObject({ code: 3 })
  expect(summaryOf(place.onlyRun())).toMatchObject({ totals: { succeeded: 14, failed: 10 } })
})
