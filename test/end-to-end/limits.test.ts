import { expect, test } from 'vitest'
import { sandboxKey } from '../../src/sandbox/options.js'
import { startSandbox } from '../sandbox/sandboxes.js'
import { startFakeApi } from './fake-api.js'
import { closeAtEnd, conversationIds, csvOf, openPlace, summaryOf } from './harness.js'

test.concurrent('a cap beside the published windows keeps them', async () => {
  const place = openPlace()
  const sandbox = await startSandbox({ keepCalls: true })
  closeAtEnd(sandbox.close)
  place.write('stale.csv', csvOf(conversationIds(70)))
  const words = `run end-conversations -i stale.csv --base-url ${sandbox.url} --yes --limit 5000/h --share 100% --run-dir run`
  const ended = await place.run(words.split(' '), { environment: { ADA_API_KEY: sandboxKey } })
  expect(ended, ended.stderr).toMatchObject({ code: 0 })
  expect(ended.stderr).toContain('at 30/s and 300/m (100% of 30/s and 300/m), and at most 5000/h')
  expect(sandbox.state.rateLimited).toBe(0)
  expect(summaryOf(`${place.directory}/run`)).toMatchObject({ requests: { sent: 70, rateLimited: 0 } })
})

test.concurrent('a cap is taken without the share, and slows', async () => {
  const place = openPlace()
  place.write('stale.csv', csvOf(conversationIds(100)))
  const plan = async (...flags: string[]) => {
    const words = ['plan', 'end-conversations', '-i', 'stale.csv', '--json', ...flags]
    return JSON.parse((await place.run(words)).stdout)
  }
  expect(await plan('--limit', '20/m', '--share', '50%')).toMatchObject({
    seconds: 241,
    settings: { share: 0.5, caps: [{ max: 20, perMs: 60_000 }] },
  })
  expect(await plan('--api-limit', '20/m', '--share', '50%')).toMatchObject({ seconds: 540 })
})

test.concurrent.each([
  [['run', '--yes'], '--base-url', 'https://acme.ada.support'],
  [['plan'], '--handle', 'acme'],
  [['export', '-o', 'out.jsonl.gz'], '--base-url', 'acme.ada.support'],
  [['schedule'], '--handle', 'acme'],
])('%s without any limit is refused for an instance of Ada', async ([command, ...words], flag, instance) => {
  const place = openPlace()
  place.write('stale.csv', csvOf(conversationIds(1)))
  const job = command === 'export' ? [] : ['end-conversations', '-i', 'stale.csv']
  const typed = [command!, ...job, ...words, flag, instance, '--api-limit', 'none']
  const refused = await place.run(typed)
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--api-limit none: https://acme.ada.support is not on this machine'),
  })
})

test.concurrent('a run is resumed with other limits than it began with', async () => {
  const place = openPlace()
  const api = await startFakeApi()
  place.write('stale.csv', csvOf(conversationIds(20)))
  const run = `run end-conversations -i stale.csv --base-url ${api.url} --yes --limit 2/h --max-items 2 --run-dir run`
  expect(await place.run(run.split(' '))).toMatchObject({ code: 75 })
  const refused = await place.run(['resume', 'run', '--yes', '--limit', 'none'])
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('write --api-limit none') })
  expect(api.calls).toHaveLength(2)
  const resumed = await place.run(['resume', 'run', '--yes', '--api-limit', 'none', '--limit', '5000/h'])
  expect(resumed, resumed.stderr).toMatchObject({ code: 0 })
  expect(api.calls).toHaveLength(20)
})
