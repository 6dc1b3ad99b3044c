import { expect, test } from 'vitest'
import { ada, ended, forbidden, json, startFakeApi, tooMany, unauthorized } from './fake-api.js'
import { conversationIds, csvOf, openPlace, reportOf, summaryOf } from './harness.js'

test.concurrent('401 that a harmless call confirms stops the run, and leaves the rest unsettled', async () => {
  const place = openPlace()
  const input = place.write('stale.csv', csvOf(conversationIds(40)))
  const api = await startFakeApi(({ index }) => {
    if (index < 4) return ended
    api.key = 'another'
    return unauthorized
  })
  const { key } = api
  const args = ['--input', input, '--base-url', api.url, '--yes', '--api-limit', 'none', '--concurrency', '1']
  expect(await place.run(['run', 'end-conversations', ...args])).toMatchObject({ code: 4 })
  const summary = summaryOf(place.onlyRun())
  expect(summary).toMatchObject({ exitCode: 4, totals: { failed: 0, unknown: 0 } })
  expect(summary.stoppedBecause).toContain('HTTP 401: Unauthorized')
  // The call that was refused settles nothing.
  expect(summary.totals.left).toBe(40 - api.calls.length + 1)
  expect(api.calls.length, 'no call leaves after the answer that refuses the key').toBe(4)
  Object.assign(api, { script: ada, key })
  expect(await place.run(['resume', '--yes'])).toMatchObject({ code: 0 })
  expect(summaryOf(place.onlyRun())).toMatchObject({ reasons: { ended: 40 }, totals: { left: 0 } })
})

test.concurrent('403 for one conversation, the first, is its outcome, and the run ends the others', async () => {
  const place = openPlace()
  const ids = conversationIds(40)
  const input = place.write('stale.csv', csvOf(ids))
  const api = await startFakeApi(({ id }) => (id === ids[0] ? forbidden : ended))
  const args = ['--input', input, '--base-url', api.url, '--yes', '--api-limit', 'none', '--concurrency', '1']
  expect(await place.run(['run', 'end-conversations', ...args])).toMatchObject({ code: 3 })
  expect(summaryOf(place.onlyRun())).toMatchObject({
    reasons: { ended: 39, forbidden: 1 },
    totals: { left: 0 },
  })
  expect(api.looks).toEqual(['ada-bulk-doctor'])
})

test.concurrent.for([
  { name: 'a Retry-After of seconds', headers: { 'retry-after': '2' }, leastMs: 2000 },
  {
    name: 'a Retry-After that is a date, by the clock of the API',
    headers: { date: 'Fri, 02 Jan 2026 03:04:05 GMT', 'retry-after': 'Fri, 02 Jan 2026 03:04:07 GMT' },
    leastMs: 2000,
  },
  { name: 'a 429 without Retry-After', headers: {}, leastMs: 0 },
])('$name stops all calls, and counts as no attempt', async ({ headers, leastMs }) => {
  const place = openPlace()
  const input = place.write('stale.csv', csvOf(conversationIds(30)))
  const api = await startFakeApi(({ index }) => (index === 3 ? tooMany(headers) : ended))
  const args = `--base-url ${api.url} --yes --api-limit none --concurrency 1 --attempts 1 --input ${input}`
  expect(await place.run(['run', 'end-conversations', ...args.split(' ')])).toMatchObject({ code: 0 })
  expect(summaryOf(place.onlyRun())).toMatchObject({
    totals: { succeeded: 30 },
    requests: { sent: 31, rateLimited: 1 },
  })
  expect(api.calls[3]!.atMs - api.calls[2]!.atMs).toBeGreaterThanOrEqual(leastMs - 10)
  expect(reportOf(place.onlyRun())[2]).toMatchObject({ status: 'succeeded', attempts: '2' })
})

test.concurrent('no calls left in X-RateLimit-Remaining stops all calls until the reset', async () => {
  const place = openPlace()
  const input = place.write('stale.csv', csvOf(conversationIds(10)))
  const seconds = Date.parse('2026-01-02T03:04:05Z') / 1000
  const api = await startFakeApi(({ index }) =>
    index === 2
      ? json(
          200,
          {},
          {
            date: new Date(seconds * 1000).toUTCString(),
            'x-ratelimit-limit': '300',
            'x-ratelimit-remaining': '0',
            'x-ratelimit-reset': String(seconds + 2),
          },
        )
      : ended,
  )
  const args = `--base-url ${api.url} --yes --api-limit none --concurrency 1 --input ${input}`
  expect(await place.run(['run', 'end-conversations', ...args.split(' ')])).toMatchObject({ code: 0 })
  expect(api.calls[2]!.atMs - api.calls[1]!.atMs).toBeGreaterThanOrEqual(1990)
})
