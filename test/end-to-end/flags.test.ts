import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ada, hang, notFound, startFakeApi, unavailable } from './fake-api.js'
import { conversationIds, csvOf, openPlace, reportOf, summaryOf } from './harness.js'

async function scene(count = 20, base = '--yes --api-limit none') {
  const place = openPlace()
  const ids = conversationIds(count)
  place.write('stale.csv', csvOf(ids))
  const api = await startFakeApi()
  const run = (flags = '', input = '-i stale.csv') =>
    place.run(`run end-conversations ${input} --base-url ${api.url} ${base} ${flags}`.trim().split(/ +/))
  return { place, ids, api, run }
}

test.concurrent('--max-items 10 settles ten and stops (75); resume does the rest', async () => {
  const { place, ids, api, run } = await scene()
  expect(await run('--max-items 10')).toMatchObject({
    code: 75,
    stdout: expect.stringContaining('--max-items 10'),
  })
  expect(summaryOf(place.onlyRun())).toMatchObject({
    exitCode: 75,
    totals: { read: 20, succeeded: 10, left: 10 },
  })
  expect(api.calls.map(({ id }) => id).sort()).toEqual(ids.slice(0, 10))
  expect(await place.run(['resume'])).toMatchObject({ code: 0 })
  expect(api.calls).toHaveLength(20)
  expect(reportOf(place.onlyRun()).map(({ id }) => id)).toEqual(ids)
})

test.concurrent('--max-items counts items, not calls, and waits for their retries', async () => {
  const { place, api, run } = await scene()
  api.script = (call) => (call.nth === 1 ? unavailable : ada(call))
  expect(await run('--max-items 2')).toMatchObject({ code: 75 })
  expect(summaryOf(place.onlyRun())).toMatchObject({
    totals: { succeeded: 2, left: 18 },
    requests: { sent: 4 },
  })
})

test.concurrent('--max-items of as many as there are is the end, not a stop', async () => {
  const { place, run } = await scene(3)
  expect(await run('--max-items 3')).toMatchObject({ code: 0 })
  expect(summaryOf(place.onlyRun())).toMatchObject({ stoppedBecause: null, totals: { left: 0 } })
})

test.concurrent('--max-duration stops gently (75); resume does the rest', async () => {
  const { place, run } = await scene(5, '--yes')
  expect(await run('--api-limit 2/h --share 100% --max-duration 5s')).toMatchObject({ code: 75 })
  expect(summaryOf(place.onlyRun())).toMatchObject({
    stoppedBecause: expect.stringContaining('--max-duration'),
    totals: { succeeded: 2, left: 3 },
  })
  expect(await place.run(['resume', '--yes', '--api-limit', 'none'])).toMatchObject({ code: 0 })
})

test.concurrent('--max-failures N lets N fail and stops (4) at the next', async () => {
  const { place, api, run } = await scene()
  api.script = () => notFound
  expect(await run('--max-failures 3 --concurrency 1')).toMatchObject({ code: 4 })
  const { totals, stoppedBecause } = summaryOf(place.onlyRun())
  expect(stoppedBecause).toContain('--max-failures 3')
  // Those that were in progress come to their end.
  expect([4, 5, 6, 7]).toContain(totals.failed)
  expect(totals.left).toBe(20 - totals.failed)
  expect(api.calls).toHaveLength(totals.failed)
})

test.concurrent('--max-failures PERCENT counts from 100 items on', async () => {
  const { place, api, run } = await scene(150)
  api.script = (call) => (call.index % 3 === 0 ? notFound : ada(call))
  expect(await run('--max-failures 20% --concurrency 1')).toMatchObject({ code: 4 })
  const { totals, stoppedBecause } = summaryOf(place.onlyRun())
  expect(stoppedBecause).toContain('--max-failures 20%')
  expect(totals.succeeded + totals.failed).toBeGreaterThanOrEqual(100)
  expect(totals.succeeded + totals.failed).toBeLessThanOrEqual(102)
  // With more allowed, it goes on to the end.
  expect(await place.run(['resume', '--yes', '--max-failures', '50%'])).toMatchObject({ code: 3 })
  expect(summaryOf(place.onlyRun()).totals).toMatchObject({ read: 150, left: 0 })
})

test.concurrent('--attempts 1 tries once', async () => {
  const { place, api, run } = await scene(2)
  api.script = () => unavailable
  expect(await run('--attempts 1')).toMatchObject({ code: 3 })
  expect(api.calls).toHaveLength(2)
  expect(reportOf(place.onlyRun())).toMatchObject([
    { reason: 'server_error', attempts: '1' },
    { attempts: '1' },
  ])
})

test.concurrent('--hold keeps IDs from being touched, in a resumed and a retried run too', async () => {
  const { place, ids, api, run } = await scene(6)
  place.write('hold.csv', csvOf([ids[1]!, ids[4]!, conversationIds(1, 9)[0]!]))
  api.script = (call) => (call.id === ids[0] ? notFound : ada(call))
  expect(await run('--hold hold.csv --max-items 1')).toMatchObject({ code: 75 })
  expect(await place.run(['resume', '--yes'])).toMatchObject({ code: 3 })
  expect(reportOf(place.onlyRun()).map(({ status, reason }) => [status, reason])).toEqual([
    ['failed', 'not_found'],
    ['filtered', 'on_hold'],
    ['succeeded', 'ended'],
    ['succeeded', 'ended'],
    ['filtered', 'on_hold'],
    ['succeeded', 'ended'],
  ])
  place.write('more.csv', csvOf([ids[0]!]))
  const retried = await place.run(['retry', place.onlyRun(), '--yes', '--hold', 'more.csv', '--json'])
  expect(retried).toMatchObject({ code: 0 })
  expect(JSON.parse(retried.stdout)).toMatchObject({ reasons: { on_hold: 1 }, totals: { read: 1 } })
  for (const id of [ids[1]!, ids[4]!]) expect(api.timesCalled(id)).toBe(0)
  expect(api.timesCalled(ids[0]!)).toBe(1)
})

test.concurrent('plan and --dry-run count and call nothing, and leave nothing behind', async () => {
  const { place, ids, api, run } = await scene()
  place.write('mixed.csv', `${csvOf([...ids, ids[0]!, 'a/b'])}""\n`)
  place.write('hold.csv', csvOf(ids.slice(0, 2)))
  const input = '-i mixed.csv --hold hold.csv'
  const args = `plan end-conversations ${input} --base-url ${api.url} --api-limit 10/m --share 50% --json`
  const plan = await place.run(args.split(' '), { environment: { ADA_API_KEY: undefined } })
  expect(plan).toMatchObject({ code: 0, stderr: 'hold: 2 IDs in hold.csv; 2 match\n' })
  const forecast = JSON.parse(plan.stdout)
  expect(forecast).toMatchObject({
    job: 'end-conversations',
    instance: api.url,
    read: 23,
    valid: 18,
    invalid: 2,
    duplicate: 1,
    filtered: 2,
    calls: 18,
    reasons: { bad_id: 1, empty_id: 1, duplicate: 1, on_hold: 2 },
  })
  // Five a minute: the last three leave in the fourth minute.
  expect(forecast.seconds).toBeGreaterThanOrEqual(180)
  expect(forecast.seconds).toBeLessThan(250)
  expect(Math.abs(Date.parse(forecast.finishesAt) - Date.now() - forecast.seconds * 1000)).toBeLessThan(
    20_000,
  )
  expect(await run('--dry-run', input)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('18 conversations'),
  })
  expect(api.calls).toEqual([])
  expect(existsSync(place.runs)).toBe(false)
})

test.concurrent('--input - keeps stdin with the run, so that it can be resumed', async () => {
  const { place, ids, api } = await scene()
  const args = `run end-conversations --input - --base-url ${api.url} --yes --api-limit none --max-items 5`
  expect(await place.run(args.split(' '), { stdin: csvOf(ids) })).toMatchObject({ code: 75 })
  expect(await place.run(['resume'])).toMatchObject({ code: 0 })
  expect(reportOf(place.onlyRun()).map(({ id, source }) => [id, source])).toEqual(ids.map((id) => [id, `'-`]))
  expect(api.calls).toHaveLength(20)
})

test.concurrent('--run-dir names the directory, and refuses one that holds a run already', async () => {
  const { place, api, run } = await scene(2)
  expect(await run('--run-dir archive/tonight')).toMatchObject({ code: 0 })
  expect(reportOf(join(place.directory, 'archive/tonight'))).toHaveLength(2)
  expect(await run('--run-dir archive/tonight')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/holds a run already.*ada-bulk resume/),
  })
  expect(api.calls).toHaveLength(2)
  expect(existsSync(place.runs)).toBe(false)
})

test.concurrent('--continue starts, goes on, and then begins anew', async () => {
  const { place, api, run } = await scene(6)
  expect(await run('--continue --max-items 2')).toMatchObject({ code: 75 })
  const directory = place.onlyRun()
  expect(await run('--continue --max-items 2')).toMatchObject({ code: 75 })
  expect(await run('--continue')).toMatchObject({ code: 0 })
  expect(place.onlyRun()).toBe(directory)
  expect(api.calls).toHaveLength(6)
  expect(await run('--continue')).toMatchObject({ code: 0 })
  expect(() => place.onlyRun()).toThrow('not one run but 2')
})

test.concurrent('--continue with --run-dir starts, goes on, and is then finished', async () => {
  const { api, run } = await scene(4)
  const again = () => run('--continue --run-dir tonight --json')
  expect(await run('--continue --run-dir tonight --max-items 3')).toMatchObject({ code: 75 })
  expect(await again()).toMatchObject({ code: 0 })
  const finished = await again()
  expect(finished).toMatchObject({ code: 0, stderr: expect.stringContaining('is finished') })
  expect(JSON.parse(finished.stdout)).toMatchObject({ totals: { succeeded: 4 } })
  expect(api.calls).toHaveLength(4)
})

test.concurrent('--concurrency is the most that is in flight', async () => {
  const { place, api } = await scene(20)
  api.script = () => hang
  const running = place.start(
    `run end-conversations -i stale.csv --base-url ${api.url} --yes --api-limit none --concurrency 3 --timeout 1s --attempts 1`.split(
      ' ',
    ),
  )
  let most = 0
  const script = api.script
  api.script = (call) => {
    most = Math.max(most, api.inFlight)
    return script(call)
  }
  await api.arrived(9)
  running.kill('SIGTERM')
  expect(await running.exited).toMatchObject({ code: 143 })
  // A connection that was given up may still be closing.
  expect(most).toBeGreaterThanOrEqual(3)
  expect(most).toBeLessThanOrEqual(6)
})

test.concurrent('settings that were given once hold for a resumed run; flags change them', async () => {
  const { place, api, run } = await scene(6)
  api.script = () => unavailable
  expect(await run('--attempts 1 --max-items 2')).toMatchObject({ code: 75 })
  expect(await place.run(['resume', '--yes', '--max-items', '2'])).toMatchObject({ code: 75 })
  expect(api.calls).toHaveLength(4)
  expect(await place.run(['resume', '--yes', '--attempts', '2'])).toMatchObject({ code: 3 })
  expect(api.calls).toHaveLength(8)
})

test.concurrent('--env-file, --api-key-file and a base URL in any form find the instance and the key', async () => {
  const { place, api } = await scene(1)
  place.write('settings.env', `ADA_BASE_URL=${api.url}/api/v2/\nADA_API_KEY=k3y-0f-the-end-to-end-tests\n`)
  place.write('key', 'k3y-0f-the-end-to-end-tests\n')
  const environment = { ADA_API_KEY: undefined }
  const run = 'run end-conversations -i stale.csv --yes --api-limit none'.split(' ')
  expect(await place.run([...run, '--env-file', 'settings.env'], { environment })).toMatchObject({ code: 0 })
  const address = api.url.replace('127.0.0.1', 'localhost')
  expect(
    await place.run([...run, '--base-url', `${address}/api/`, '--api-key-file', 'key'], { environment }),
  ).toMatchObject({ code: 0 })
  expect(api.calls).toHaveLength(2)
})

test.concurrent('--log-level names what is logged, --quiet is silent, --progress plain shows no bar', async () => {
  const { place, run } = await scene(3)
  expect(await run('--quiet --run-dir a')).toEqual({ code: 0, signal: null, stdout: '', stderr: '' })
  const { stderr } = await run('--log-level debug --progress plain --run-dir b')
  expect(stderr.match(/"msg":"item settled"/g)).toHaveLength(3)
  expect(stderr).not.toContain('\u001b')
  expect(readFileSync(join(place.directory, 'a/run.log'), 'utf8')).not.toContain('item settled')
})
