import { rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ada, hangAfter, notFound, startFakeApi } from './fake-api.js'
import { conversationIds, csvOf, expectRefusal, openPlace, reportOf, summaryOf } from './harness.js'

const ids = conversationIds(8)
const fresh = conversationIds(2, 5)
/** Two on top, one gone that was called (the second), one gone that was not (the seventh). */
const changed = [...fresh, ...ids.filter((_, index) => index !== 1 && index !== 6)]

/** A run that was stopped when it had called three of eight. */
async function scene() {
  const place = openPlace()
  const input = place.write('stale.csv', csvOf(ids))
  const api = await startFakeApi((call) => (call.id === ids[2] ? notFound : ada(call)))
  const args = `run end-conversations -i ${input} --base-url ${api.url} --yes --api-limit none --max-items 3`
  expect(await place.run(args.split(' '))).toMatchObject({ code: 75 })
  return { place, api, directory: place.onlyRun() }
}

test.concurrent('a resumed run refuses a changed input, and says what has changed', async () => {
  const { place, api } = await scene()
  place.write('stale.csv', csvOf(changed))
  expectRefusal(
    await place.run(['resume', '--yes']),
    'stale.csv',
    '+2 new, −2 gone',
    '--accept-changed-input',
  )
  expect(api.calls).toHaveLength(3)
  // And goes on as soon as the old file is back.
  place.write('stale.csv', csvOf(ids))
  expect(await place.run(['resume', '--yes'])).toMatchObject({ code: 3 })
  expect(api.calls).toHaveLength(8)
})

test.concurrent('an accepted changed input is matched by ID: nothing is called twice, the report has its order', async () => {
  const { place, api, directory } = await scene()
  const before = reportOf(directory)
  place.write('stale.csv', csvOf(changed))
  const resumed = await place.run(['resume', '--yes', '--accept-changed-input'])
  expect(resumed).toMatchObject({ code: 3, stderr: expect.stringContaining('+2 new, −2 gone') })
  expect(api.calls.map(({ id }) => id).sort()).toEqual(
    [...ids.filter((_, index) => index !== 6), ...fresh].sort(),
  )
  const report = reportOf(directory)
  expect(report.map(({ id, line }) => [id, line])).toEqual(
    changed.map((id, index) => [id, String(index + 2)]),
  )
  // What was settled before keeps its outcome and its time.
  expect(report.find(({ id }) => id === ids[2])).toEqual({ ...before[2], line: '5' })
  expect(summaryOf(directory)).toMatchObject({
    totals: { read: 8, succeeded: 7, failed: 1, left: 0 },
    requests: { sent: 9 },
    input: [{ bytes: csvOf(changed).length }],
  })
})

test.concurrent('an input may change again and again', async () => {
  const { place, api, directory } = await scene()
  place.write('stale.csv', csvOf(changed))
  const accept = ['resume', directory, '--yes', '--accept-changed-input']
  expect(await place.run([...accept, '--max-items', '2'])).toMatchObject({ code: 75 })
  // Resumed as it was accepted, it has not changed.
  expect(await place.run(['resume', directory, '--yes', '--max-items', '1'])).toMatchObject({ code: 75 })
  const last = [...changed].reverse().slice(1)
  place.write('stale.csv', csvOf(last))
  expectRefusal(await place.run(['resume', directory, '--yes']), '+0 new, −1 gone')
  expect(await place.run(accept)).toMatchObject({ code: 3 })
  expect(reportOf(directory).map(({ id }) => id)).toEqual(last)
  for (const id of last) expect(api.timesCalled(id)).toBe(1)
})

test.concurrent('a lost answer is remembered across a changed input', async () => {
  const place = openPlace()
  place.write('stale.csv', csvOf(ids))
  const api = await startFakeApi(() => hangAfter)
  const running = place.start(
    `run end-conversations -i stale.csv --base-url ${api.url} --yes --api-limit none --concurrency 2`.split(
      ' ',
    ),
  )
  await api.arrived(2)
  running.kill('SIGKILL')
  await running.exited
  place.write('stale.csv', csvOf([...fresh, ...ids]))
  api.script = ada
  expect(await place.run(['resume', '--yes', '--accept-changed-input'])).toMatchObject({ code: 0 })
  expect(reportOf(place.onlyRun()).map(({ reason, attempts }) => [reason, attempts])).toEqual([
    ['ended', '1'],
    ['ended', '1'],
    ['ended_on_retry', '2'],
    ['ended_on_retry', '2'],
    ...Array(6).fill(['ended', '1']),
  ])
})

test.concurrent('an input that is gone is named', async () => {
  const { place, api } = await scene()
  rmSync(`${place.directory}/stale.csv`)
  expectRefusal(await place.run(['resume', '--yes']), 'stale.csv', 'ENOENT')
  expect(api.calls).toHaveLength(3)
})

describe('kill -9 while a changed input is taken over', () => {
  const preload = `--import ${resolve(import.meta.dirname, 'die-at-step.mjs')}`

  test.concurrent.for([4, 8, 9, 10, 12, 13])('at step %i: still nothing is called twice', async (step) => {
    const { place, api, directory } = await scene()
    place.write('stale.csv', csvOf(changed))
    const accept = ['resume', directory, '--yes', '--accept-changed-input', '--max-items', '1']
    const died = await place.run(accept, {
      environment: { NODE_OPTIONS: preload, DIE_AT_STEP: String(step), STEPS_BELOW: directory },
    })
    expect(died).toMatchObject({ signal: 'SIGKILL' })
    expect(await place.run(['resume', directory, '--yes', '--accept-changed-input'])).toMatchObject({
      code: 3,
    })
    expect(reportOf(directory).map(({ id }) => id)).toEqual(changed)
    const twice = ids.filter((id) => api.timesCalled(id) > 1)
    expect(twice.length, 'what was called before the change stays settled').toBeLessThanOrEqual(1)
  })
})
