import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { notFound, startFakeApi } from './fake-api.js'
import { conversationIds, csvOf, expectRefusal, openPlace, summaryOf } from './harness.js'

async function stoppedRun() {
  const place = openPlace()
  place.write('stale.csv', csvOf(conversationIds(4)))
  place.write('hold.csv', csvOf(conversationIds(4).slice(3)))
  const api = await startFakeApi(() => notFound)
  const args = `run end-conversations -i stale.csv --hold hold.csv --base-url ${api.url} --yes --api-limit none`
  expect(await place.run([...args.split(' '), '--max-items', '1'])).toMatchObject({ code: 75 })
  const run = place.onlyRun()
  const runFile = join(run, 'run.json')
  const edit = (change: object) => {
    const asked = JSON.parse(readFileSync(runFile, 'utf8'))
    writeFileSync(runFile, `${JSON.stringify({ ...asked, ...change }, null, 2)}\n`)
  }
  return { place, api, run, runFile, args: args.split(' '), edit }
}

test.concurrent('a run.json that was edited is not what was agreed to: no command goes on by it', async () => {
  const { place, api, run, runFile, args, edit } = await stoppedRun()
  const other = await startFakeApi()
  const before = readFileSync(runFile)
  const calls = api.calls.length
  for (const change of [{ hold: [] }, { instance: other.url }, { jobFlags: { erase: '' } }]) {
    edit(change)
    for (const words of [
      ['resume', '--yes'],
      ['retry', run, '--yes'],
      [...args, '--continue'],
    ]) {
      if (words.includes('--continue') && 'instance' in change) continue
      expectRefusal(await place.run(words), 'run.json was changed since the run began', 'Put it back')
    }
    writeFileSync(runFile, before)
  }
  expect(api.calls.length + other.calls.length).toBe(calls)
  expect(existsSync(join(run, 'report.csv'))).toBe(true)
  // As it was, it goes on.
  expect(await place.run(['resume', '--yes'])).toMatchObject({ code: 3 })
  expect(summaryOf(run)).toMatchObject({ totals: { failed: 3, filtered: 1, left: 0 } })
})

test.concurrent('status and report still read such a run, and verify says what is wrong', async () => {
  const { place, run, edit } = await stoppedRun()
  edit({ by: 'nobody' })
  expect(await place.run(['status', run])).toMatchObject({ code: 0 })
  expect(await place.run(['report', run])).toMatchObject({ code: 0 })
  expect(await place.run(['verify', run])).toMatchObject({ code: 3 })
})
