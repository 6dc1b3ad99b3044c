import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startFakeApi } from './fake-api.js'
import { conversationIds, csvOf, openPlace, summaryOf } from './harness.js'

async function scene() {
  const place = openPlace()
  const ids = conversationIds(8)
  const api = await startFakeApi()
  place.write('in.csv', csvOf(ids))
  const common = `--base-url ${api.url} --yes --api-limit none`
  const run = (words: string) => place.run(words.split(' '))
  const called = () => new Set(api.calls.map(({ id }) => id))
  return { place, ids, run, called, start: `run end-conversations -i in.csv ${common}`, common }
}

describe('a hold list over the life of a run', () => {
  test('one that comes with --continue is added, and stays', async () => {
    const { place, ids, run, called, start } = await scene()
    place.write('legal.csv', csvOf(ids.slice(7)))
    expect(await run(`${start} --max-items 2`)).toMatchObject({ code: 75 })
    expect(await run(`${start} --hold legal.csv --continue --max-items 2`)).toMatchObject({ code: 75 })
    expect(await run('resume --yes')).toMatchObject({ code: 0 })
    expect(called()).toEqual(new Set(ids.slice(0, 7)))
    expect(summaryOf(place.onlyRun())).toMatchObject({ totals: { succeeded: 7, filtered: 1, left: 0 } })
    expect(await run('verify latest')).toMatchObject({ code: 0 })
  })

  test('one that comes with resume is added', async () => {
    const { place, ids, run, called, start } = await scene()
    place.write('legal.csv', csvOf(ids.slice(6)))
    expect(await run(`${start} --max-items 2`)).toMatchObject({ code: 75 })
    expect(await run('resume --hold legal.csv --yes')).toMatchObject({ code: 0 })
    expect(called()).toEqual(new Set(ids.slice(0, 6)))
  })

  test.each([
    ['is empty', (ids: string[]) => csvOf(ids.slice(8))],
    ['lost a row', (ids: string[]) => csvOf(ids.slice(5, 7))],
    ['was cut off in an ID', (ids: string[]) => csvOf(ids.slice(5)).slice(0, -9)],
  ])('one that %s stops resume before a call, until that is accepted', async (_, shrunk) => {
    const { place, ids, run, called, start } = await scene()
    place.write('legal.csv', csvOf(ids.slice(5)))
    expect(await run(`${start} --hold legal.csv --max-items 2`)).toMatchObject({ code: 75 })
    const before = called()
    place.write('legal.csv', shrunk(ids))
    const refused = await run('resume --yes')
    expect(refused).toMatchObject({ code: 2 })
    expect(refused.stderr).toContain('--accept-shrunk-hold')
    expect(called()).toEqual(before)
    expect(await run('resume --yes --accept-shrunk-hold')).toMatchObject({ code: 0 })
  })

  test('one that grew is taken', async () => {
    const { place, ids, run, called, start } = await scene()
    place.write('legal.csv', csvOf(ids.slice(7)))
    expect(await run(`${start} --hold legal.csv --max-items 2`)).toMatchObject({ code: 75 })
    place.write('legal.csv', csvOf(ids.slice(6)))
    expect(await run('resume --yes')).toMatchObject({ code: 0 })
    expect(called()).toEqual(new Set(ids.slice(0, 6)))
  })
})

describe('--continue resumes only a run that was requested in the same way', () => {
  test('another list is another run', async () => {
    const { place, ids, run, called, start, common } = await scene()
    const others = conversationIds(20).slice(10, 13)
    place.write('others.csv', csvOf(others))
    expect(await run(`${start} --max-items 2`)).toMatchObject({ code: 75 })
    expect(await run(`run end-conversations -i others.csv ${common} --continue`)).toMatchObject({ code: 0 })
    expect(called()).toEqual(new Set([...ids.slice(0, 2), ...others]))
  })

  test('an unfinished retry is not the run, and --run-dir with another run is refused', async () => {
    const { place, run, start, common } = await scene()
    place.write('others.csv', csvOf(conversationIds(3)))
    expect(await run(`${start} --run-dir tonight --max-items 2`)).toMatchObject({ code: 75 })
    const refused = await run(`run end-conversations -i others.csv ${common} --run-dir tonight --continue`)
    expect(refused).toMatchObject({ code: 2 })
    expect(refused.stderr).toContain('tonight holds a run of another')
    expect(await run(`${start} --run-dir tonight --continue`)).toMatchObject({ code: 0 })
  })

  test('a damaged run.json of another job stops nobody', async () => {
    const { place, run, start } = await scene()
    mkdirSync(join(place.runs, 'broken'), { recursive: true })
    place.write(join('runs', 'broken', 'run.json'), '{')
    expect(await run(`${start} --continue`)).toMatchObject({ code: 0 })
  })
})
