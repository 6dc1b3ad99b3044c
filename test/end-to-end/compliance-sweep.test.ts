import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { sandboxKey } from '../../src/sandbox/options.js'
import { type SandboxOptions, startSandbox } from '../sandbox/sandboxes.js'
import { closeAtEnd, conversationIds, expectRefusal, openPlace, reportOf, until } from './harness.js'

const old = '2026-03-01T09:00:00'
const young = '2026-10-01T09:00:00'

/** Twelve end users with an old conversation each; the last of them came back, the one before is on hold. */
async function scene(options: SandboxOptions = {}) {
  const place = openPlace()
  const sandbox = await startSandbox(options)
  closeAtEnd(() => sandbox.close())
  const ids = conversationIds(13)
  const endUsers = conversationIds(12, 9)
  const records = ids.map((_id, index) => ({
    _id,
    date_created: index < 12 ? old : young,
    end_user_id: endUsers[Math.min(index, 11)],
  }))
  place.write('export.jsonl', `${records.map((record) => JSON.stringify(record)).join('\n')}\n`)
  place.write('hold.csv', `conversation_id\n${ids[10]}\n`)
  const run = join(place.directory, 'run')
  const sweep = `run compliance-sweep -i export.jsonl --created-before 2026-06-01 --hold hold.csv --erase --run-dir ${run} --base-url ${sandbox.url} --concurrency 1 --quiet`
  const environment = { ADA_API_KEY: sandboxKey }
  const start = (text: string) => place.start(text.split(' '), { environment })
  return { place, sandbox, ids, endUsers, run, erasure: `${run}-erasure`, sweep, start }
}

test('a sweep that is killed while it ends, while it hands over and while it asks comes to its end all the same', async () => {
  const { sandbox, ids, endUsers, run, erasure, sweep, start } = await scene({
    latencyMs: { min: 100, max: 100 },
    deletionMs: 4_000,
  })
  const { deletions } = sandbox.state
  const killWhen = async (text: string, isTime: () => boolean) => {
    const running = start(text)
    await until(isTime)
    running.kill('SIGKILL')
    expect(await running.exited).toMatchObject({ signal: 'SIGKILL' })
  }
  const resume = `resume ${run} --yes --yes-erase --quiet`
  await killWhen(`${sweep} --yes --yes-erase`, () => sandbox.state.acted >= 3)
  expect(deletions.count, 'nobody is erased before all is ended').toBe(0)
  await killWhen(resume, () => deletions.count === 1)
  const asked = () =>
    existsSync(join(erasure, 'checkpoint.jsonl')) &&
    readFileSync(join(erasure, 'checkpoint.jsonl'), 'utf8').includes('"did":"asked"')
  await killWhen(resume, asked)
  expect(await start(resume).exited).toMatchObject({ code: 0 })

  expect(reportOf(run).map(({ status }) => status)).toEqual([
    ...Array(10).fill('succeeded'),
    'filtered',
    'succeeded',
    'filtered',
  ])
  expect(ids.filter((id) => sandbox.state.isEnded(id))).toEqual([...ids.slice(0, 10), ids[11]])
  for (const id of ids) expect(sandbox.state.timesCalled(id)).toBeLessThanOrEqual(2)
  expect(deletions.count, 'one batch is one job, however often it was sent').toBe(1)
  expect(endUsers.map((id) => deletions.timesErased(id))).toEqual([...Array(10).fill(1), 0, 0])
  expect(reportOf(erasure).map(({ id, reason }) => [id, reason])).toEqual([
    ...endUsers.slice(0, 10).map((id) => [id, 'erased']),
    [endUsers[11], 'other_conversations'],
  ])
})

test('--yes is no yes to erasing: without a terminal and without --yes-erase nothing begins', async () => {
  const { sandbox, sweep, run, start } = await scene()
  expectRefusal(await start(`${sweep} --yes`).exited, /--yes-erase/)
  expect(sandbox.state.arrived).toBe(0)
  expect(existsSync(run)).toBe(false)
})

test('who comes onto hold between the two parts, by a conversation, is not erased', async () => {
  const { place, sandbox, ids, endUsers, run, erasure, sweep, start } = await scene()
  const { deletions } = sandbox.state
  expect(await start(`${sweep} --yes --yes-erase --max-items 3`).exited).toMatchObject({ code: 75 })
  place.write('hold.csv', `conversation_id\n${ids[10]}\n${ids[0]}\n`)
  expect(await start(`resume ${run} --yes --yes-erase --quiet`).exited).toMatchObject({ code: 0 })
  expect(endUsers.map((id) => deletions.timesErased(id))).toEqual([0, ...Array(9).fill(1), 0, 0])
  expect(reportOf(erasure)[0]).toMatchObject({ id: endUsers[0], reason: 'on_hold' })
})
