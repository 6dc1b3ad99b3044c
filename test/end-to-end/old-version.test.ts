import { createHmac } from 'node:crypto'
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { idOf, type OldAda, pseudonymKey, recordOf, special } from '../fixtures/ada.js'
import { idsOf, type Old, openOldRuns, outcome } from './old-runs.js'

let ada: OldAda
let old: (name: string) => Old

// Another checkout may be at these tests, and there is one place for all.
beforeAll(async () => {
  ;({ ada, old } = await openOldRuns())
}, 240_000)
beforeEach(() => ada.reset())

/** What stands in a run of the old version: how many rows it has, and how many of them are settled. */
const runs = [
  { name: 'finished', state: 'finished', read: 30, settled: 30, succeeded: 20 },
  { name: 'stopped', state: 'stopped', read: 25, settled: 10, succeeded: 10 },
  { name: 'killed', state: 'crashed', read: 24, settled: 8, succeeded: 8 },
  { name: 'pseudonymised', state: 'stopped', read: 16, settled: 6, succeeded: 5 },
  { name: 'sweep-half', state: 'finished', read: 11, settled: 11, succeeded: 9 },
  { name: 'sweep-erasing', state: 'finished', read: 11, settled: 11, succeeded: 9 },
  { name: 'nightly', state: 'finished', read: 8, settled: 8, succeeded: 4 },
  { name: 'nightly-stopped', state: 'stopped', read: 6, settled: 2, succeeded: 2 },
  { name: 'retried', state: 'finished', read: 18, settled: 18, succeeded: 15 },
  { name: 'changed', state: 'stopped', read: 22, settled: 10, succeeded: 10 },
]

test.concurrent.each(runs)(
  'a run that was $name is shown, verified and reported as it stands',
  async (expected) => {
    const { name, state, read, settled, succeeded } = expected
    const { path, runs, run, json, rows, expectRight } = old(name)
    const [first] = runs()
    expect(await json(0, `status ${first}`)).toMatchObject({
      run: first,
      state,
      totals: { read, succeeded, left: read - settled },
    })
    await expectRight(first)

    const found = await rows(first)
    expect(found).toHaveLength(settled)
    expect(found.filter(({ status }) => status === 'succeeded')).toHaveLength(succeeded)
    const written = path('runs', first!, 'report.csv')
    if (existsSync(written)) {
      const before = readFileSync(written, 'utf8')
      expect((await run(0, `report ${first} --format csv --output -`)).stdout).toBe(before)
    }
    const { stdout: lines } = await run(0, `report ${first} --format jsonl --output -`)
    expect(
      lines
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).id),
    ).toEqual(found.map(({ id }) => id))
    await run(0, `report ${first} --format html`)
    const page = readFileSync(path('runs', first!, 'report.html'), 'utf8')
    for (const { id } of found) expect(page).toContain(id)
    expect(ada.calls).toEqual([])
  },
)

test('a run is listed, proved by its head and its input, and packed for the auditor', async () => {
  const { path, runs, run } = old('finished')
  const [name] = runs()
  expect((await run(0, 'status')).stdout).toContain(name)
  const { checkpointHead } = JSON.parse(readFileSync(path('runs', name!, 'summary.json'), 'utf8'))
  const { stdout } = await run(0, `verify ${name} --input input.csv --head ${checkpointHead}`)
  expect(stdout).not.toMatch(/^NOT/m)
  await run(0, `report ${name} --format pack --output pack.zip`)
  expect(existsSync(path('pack.zip'))).toBe(true)
})

test('what was altered in an old run is found out', async () => {
  const { path, runs, run } = old('stopped')
  const alter = (file: string, from: string, to: string) => {
    const whole = path('runs', runs()[0]!, file)
    const text = readFileSync(whole, 'utf8')
    expect(text).toContain(from)
    writeFileSync(whole, text.replace(from, to))
  }
  alter('checkpoint.jsonl', '"http":200', '"http":201')
  expect((await run(3, 'verify latest')).stdout).toMatch(/^NOT chain/m)
  alter('checkpoint.jsonl', '"http":201', '"http":200')
  alter('run.json', '"share": 0.8', '"share": 0.9')
  expect((await run(2, 'resume --yes')).stderr).toMatch(/run\.json was changed since the run began/)
  expect(ada.calls).toEqual([])
})

test('a run that is finished has nothing left to resume, and what failed can be tried again', async () => {
  const { run, json, rows, expectRight } = old('finished')
  expect((await run(3, 'resume latest --yes')).stderr).toMatch(/is finished: nothing is left to do/)
  expect(ada.calls).toEqual([])
  await run(3, 'retry latest --yes --quiet --attempts 1')
  const failing = [special.missing, special.voice, special.broken].map((ending) => idOf(1, ending))
  expect(ada.endCalls().sort()).toEqual(failing)
  expect((await rows()).map(({ id }) => id)).toEqual(failing)
  expect(await json(0, 'status latest')).toMatchObject({
    retryOf: expect.stringMatching(/^end-conversations-/),
  })
  await expectRight()
})

test('a run that was stopped is resumed: what was settled stays and is not called', async () => {
  const { run, rows, expectRight } = old('stopped')
  const before = await rows()
  await run(0, 'resume --yes --quiet')
  expect(ada.endCalls().sort()).toEqual(idsOf(2, 11, 24))
  const after = await rows()
  expect(after.slice(0, 10)).toEqual(before)
  expect(after.slice(10).map(outcome)).toEqual([
    ...idsOf(2, 11, 24).map((id) => `${id} succeeded ended`),
    `${idOf(2, 3)} duplicate duplicate`,
  ])
  await expectRight()
})

test('a run that was killed is resumed: what had left and was not recorded is looked at, not called again', async () => {
  const { run, rows, expectRight } = old('killed')
  const before = await rows()
  await run(0, 'resume --yes --quiet')
  expect(ada.endCalls().sort()).toEqual(idsOf(3, 12, 24))
  expect(ada.calls.filter(({ method }) => method === 'GET').map(({ id }) => id)).toEqual(
    expect.arrayContaining(idsOf(3, 9, 11)),
  )
  const after = await rows()
  expect(after.slice(0, 8)).toEqual(before)
  expect(after.slice(8).map(outcome)).toEqual([
    ...idsOf(3, 9, 11).map((id) => `${id} succeeded ended_on_retry`),
    // The note of this call was torn, so it is not known to have left.
    `${idOf(3, 12)} succeeded already_ended`,
    ...idsOf(3, 13, 24).map((id) => `${id} succeeded ended`),
  ])
  await expectRight()
})

test('a run with pseudonyms is resumed with its key, and refused without', async () => {
  const { run, rows, expectRight } = old('pseudonymised')
  for (const ADA_BULK_PSEUDONYM_KEY of [undefined, 'another-key-of-enough-characters']) {
    const { stderr } = await run(2, 'resume --yes --quiet', { ADA_BULK_PSEUDONYM_KEY })
    expect(stderr).toMatch(/ADA_BULK_PSEUDONYM_KEY/)
  }
  expect(ada.calls).toEqual([])

  const before = await rows()
  await run(3, 'resume --yes --quiet')
  expect(ada.endCalls().sort()).toEqual(idsOf(4, 6, 15))
  const after = await rows()
  expect(after.slice(0, 6)).toEqual(before)
  const hash = (id: string) => createHmac('sha256', pseudonymKey).update(id).digest('hex').slice(0, 32)
  const ids = [idOf(4, special.missing), ...idsOf(4, 1, 15)]
  expect(after.map(({ id }) => id)).toEqual(ids.map((id) => `hmac-sha256:${hash(id)}`))
  await expectRight()
})

const erased = (series: number) => idsOf(series + 50, 1, 8)
const erasureRows = (series: number) => [
  ...erased(series).map((id) => `${id} succeeded erased`),
  `${idOf(series + 50, 10)} filtered other_conversations`,
]

test('a sweep that has ended conversations and erased nobody yet goes on with erasing', async () => {
  const { runs, run, rows, expectRight } = old('sweep-half')
  const [sweep] = runs()
  ada.areDeletionsDone = true
  await run(2, `resume ${sweep} --yes --quiet`)
  expect(ada.calls, 'nobody agreed to erase').toEqual([])
  await run(0, `resume ${sweep} --yes --yes-erase --quiet`)
  expect(ada.endCalls()).toEqual([])
  expect([...ada.deletions.values()]).toEqual([erased(5)])
  expect((await rows(`${sweep}-erasure`)).map(outcome)).toEqual(erasureRows(5))
  await expectRight(sweep)
  await expectRight(`${sweep}-erasure`)
})

test("a sweep whose deletion job is under way at Ada's asks on and hands nobody over again", async () => {
  const { runs, run, rows, expectRight } = old('sweep-erasing')
  const [sweep, erasure] = runs()
  await expectRight(erasure)
  await run(75, `resume ${sweep} --yes --yes-erase --quiet --poll-for 1ms`)
  ada.areDeletionsDone = true
  await run(0, `resume ${sweep} --yes --yes-erase --quiet`)
  expect(new Set(ada.calls.map(({ method }) => method))).toEqual(new Set(['GET']))
  expect((await rows(erasure)).map(outcome)).toEqual(erasureRows(6))
  await expectRight(erasure)
})

test('the next night calls what is pending, and nothing that an earlier one has settled', async () => {
  const { run, rows, expectRight } = old('nightly')
  const endings = [1, 2, 3, 4, special.missing, special.voice, special.broken, 8, 9]
  ada.records = endings.map((ending) => recordOf(7, ending))
  const night = `run cleanup --idle 14d --base-url ${ada.url} --yes --continue --quiet`
  await run(3, `${night} --attempts 1 --max-failures 10`)
  const called = [8, 9, special.broken].map((ending) => idOf(7, ending))
  expect(ada.endCalls().sort()).toEqual(called)
  // A harmless call finds out whether the API is up, so that what fails counts against the item.
  expect(new Set(ada.calls.map(({ id }) => id))).toEqual(
    new Set(['conversations', 'ada-bulk-doctor', ...called]),
  )
  const found = await rows()
  expect(found.filter(({ reason }) => reason === 'settled_before')).toHaveLength(6)
  await expectRight()
})

test('a night that was stopped is gone on with by the next, which calls only what is left', async () => {
  const { runs, run, rows, expectRight } = old('nightly-stopped')
  const [first] = runs()
  const night = `run cleanup --idle 14d --hold hold.csv --base-url ${ada.url} --yes --continue --quiet`
  await run(0, night)
  expect(new Set(ada.calls.map(({ id }) => id))).toEqual(new Set(idsOf(12, 3, 5)))
  expect(runs()).toEqual([first])
  expect((await rows()).map(({ reason }) => reason)).toEqual([...Array(5).fill('ended'), 'on_hold'])
  await expectRight()
  ada.reset()
  ada.records = [1, 2, 3, 4, 5].map((ending) => recordOf(12, ending))
  await run(0, night)
  expect(ada.endCalls(), 'what the old version has settled, and what was settled since').toEqual([])
})

test('a run beside the ledger of an old one makes its calls', async () => {
  const { run, path, json } = old('ledger')
  cpSync('test/fixtures/v0.1/stopped/input.csv', path('input.csv'))
  await run(0, `run end-conversations -i input.csv --base-url ${ada.url} --yes --quiet`)
  expect(ada.endCalls().sort()).toEqual(idsOf(2, 1, 24))
  expect(await json(0, 'status latest')).toMatchObject({ requests: { sent: 24, rateLimited: 0 } })
})

test('a plan of the old version is run: its input holds what it held', async () => {
  const { run, rows, expectRight } = old('plan')
  const command = 'run end-conversations --plan plan.json --yes --quiet'
  await run(0, command)
  expect(ada.endCalls().sort()).toEqual([...idsOf(9, 1, 6), idOf(9, 8)])
  expect((await rows()).map(({ reason }) => reason)).toEqual([
    ...Array(6).fill('ended'),
    'on_hold',
    'ended',
    'duplicate',
  ])
  await expectRight()
})

test('a retry that was stopped is resumed and stays linked to the run that it came from', async () => {
  const { runs, run, json, rows, expectRight } = old('retried')
  const [first, retry] = runs()
  await expectRight(retry)
  expect(await json(0, 'prune --older-than 1ms --yes')).toMatchObject({ removed: [] })
  await run(3, 'resume --yes --quiet --attempts 1')
  expect(ada.endCalls().sort()).toEqual([special.voice, special.broken].map((ending) => idOf(10, ending)))
  expect(await json(0, `status ${retry}`)).toMatchObject({ state: 'finished', retryOf: first })
  expect(await rows(retry)).toHaveLength(3)
  await expectRight(retry)
  expect(await json(0, 'prune --older-than 1ms --yes')).toMatchObject({ removed: [first, retry] })
})

test('a run that was throttled and has accepted another input goes on with both', async () => {
  const { run, rows, expectRight } = old('changed')
  await run(0, 'resume --yes --quiet')
  expect(ada.endCalls().sort()).toEqual(idsOf(11, 7, 18))
  const times = ada.calls.map(({ atMs }) => atMs)
  for (const [nth, atMs] of times.slice(4).entries())
    expect(atMs - times[nth]!, 'half of 8 a second').toBeGreaterThan(990)
  const ids = [...idsOf(11, 31, 34), ...idsOf(11, 1, 18)]
  expect((await rows()).map(outcome)).toEqual(ids.map((id) => `${id} succeeded ended`))
  await expectRight()
})

test('prune removes what is finished and keeps what can be resumed, unless it is told otherwise', async () => {
  const finished = old('finished')
  const [run] = finished.runs()
  expect(await finished.json(0, 'prune --older-than 1ms --yes')).toMatchObject({ removed: [run] })
  expect(finished.runs()).toEqual([])
  for (const name of ['stopped', 'killed', 'pseudonymised', 'changed']) {
    const { json, runs } = old(name)
    const [run] = runs()
    expect(await json(0, 'prune --older-than 1ms --yes')).toMatchObject({ removed: [] })
    expect(runs()).toEqual([run])
    expect(await json(0, 'prune --older-than 1ms --unfinished --yes')).toMatchObject({ removed: [run] })
  }
})
