import { describe, expect, test } from 'vitest'
import { sandboxKey } from '../../src/sandbox/options.js'
import { startSandbox } from '../sandbox/sandboxes.js'
import { ada, hang, startFakeApi } from './fake-api.js'
import { closeAtEnd, conversationIds, csvOf, openPlace, reportOf, summaryOf } from './harness.js'

describe('the same job on the same instance', () => {
  test.concurrent('a second run says who is at work, and exits 75 without a call', async () => {
    const place = openPlace()
    place.write('stale.csv', csvOf(conversationIds(3)))
    const api = await startFakeApi(() => hang)
    const args = `run end-conversations -i stale.csv --base-url ${api.url} --yes --api-limit none`.split(' ')
    const first = place.start(args)
    await api.arrived(3)
    const directory = place.onlyRun()

    const second = await place.run(args)
    expect(second).toMatchObject({ code: 75, stdout: '' })
    for (const word of [`process ${first.pid}`, directory, /since \d{4}-\d\d-\d\dT/, ' on ', '--parallel']) {
      expect(second.stderr).toMatch(word)
    }
    // Neither does a resume of the run that is at work, nor a start that would go on with it.
    expect(await place.run(['resume', directory, '--yes'])).toMatchObject({ code: 75 })
    expect(await place.run([...args, '--continue'])).toMatchObject({ code: 75 })
    expect(await place.run(['retry', directory, '--yes'])).toMatchObject({ code: 75 })
    expect(api.calls).toHaveLength(3)
    expect(place.onlyRun()).toBe(directory)

    first.kill('SIGKILL')
    await first.exited
    api.script = ada
    expect(await place.run(args)).toMatchObject({ code: 0 })
  })

  test.concurrent('on another instance is another matter', async () => {
    const place = openPlace()
    place.write('stale.csv', csvOf(conversationIds(3)))
    const [busy, free] = [await startFakeApi(() => hang), await startFakeApi()]
    const args = 'run end-conversations -i stale.csv --yes --api-limit none'.split(' ')
    place.start([...args, '--base-url', busy.url])
    await busy.arrived(3)
    expect(await place.run([...args, '--base-url', free.url])).toMatchObject({ code: 0 })
  })

  test.concurrent('two that start at the same moment: one runs, one exits 75', async () => {
    const place = openPlace()
    place.write('stale.csv', csvOf(conversationIds(3)))
    const api = await startFakeApi()
    let letGo = () => {}
    const free = new Promise<void>((resolve) => {
      letGo = resolve
    })
    api.script = async (call) => {
      await free
      return ada(call)
    }
    const args = `run end-conversations -i stale.csv --base-url ${api.url} --yes --api-limit none`.split(' ')
    const both = [place.start(args), place.start(args)]
    await Promise.race(both.map(({ exited }) => exited))
    letGo()
    const codes = (await Promise.all(both.map(({ exited }) => exited))).map(({ code }) => code)
    expect(codes.sort()).toEqual([0, 75])
    expect(api.calls).toHaveLength(3)
  })
})

const ownJob = `
import { defineJob, endConversation } from 'ada-bulk'
export default defineJob({ describe: 'Ends what the night left over.', operation: endConversation })
`

describe('two runs at once share the windows of their instance', () => {
  test.concurrent.for([
    { what: 'of two jobs', second: ['./night.ts'] },
    { what: 'of one job with --parallel', second: ['end-conversations', '--parallel'] },
  ])('$what', async ({ second }) => {
    const place = openPlace()
    const sandbox = await startSandbox({
      limits: [{ max: 20, perMs: 500 }],
      latencyMs: { min: 2, max: 20 },
      keepCalls: true,
    })
    closeAtEnd(sandbox.close)
    place.write('night.ts', ownJob)
    const lists = [conversationIds(60), conversationIds(60, 1)]
    const runs = [['end-conversations'], second].map((job, index) => {
      place.write(`${index}.csv`, csvOf(lists[index]!))
      const args = `-i ${index}.csv --run-dir run-${index} --base-url ${sandbox.url} --yes --api-limit 20/500ms --share 100%`
      return place.run(['run', ...job, ...args.split(' ')], { environment: { ADA_API_KEY: sandboxKey } })
    })
    for (const run of runs) expect(await run).toMatchObject({ code: 0 })
    expect(sandbox.state.rateLimited).toBe(0)
    expect(sandbox.state.arrived).toBe(120)
    expect(sandbox.state.mostInFlightForOneId).toBe(1)
    for (const [index, list] of lists.entries()) {
      expect(reportOf(`${place.directory}/run-${index}`).map(({ id }) => id)).toEqual(list)
      expect(summaryOf(`${place.directory}/run-${index}`).totals).toMatchObject({ succeeded: 60 })
    }
  })

  test.concurrent('and one that follows a killed one counts its calls', async () => {
    const place = openPlace()
    const sandbox = await startSandbox({ limits: [{ max: 10, perMs: 3000 }], keepCalls: true })
    closeAtEnd(sandbox.close)
    place.write('stale.csv', csvOf(conversationIds(14)))
    const running = place.start(
      `run end-conversations -i stale.csv --base-url ${sandbox.url} --yes --api-limit 10/3s --share 100% --timeout 500ms --log-level debug`.split(
        ' ',
      ),
      { environment: { ADA_API_KEY: sandboxKey } },
    )
    await running.says(/(item settled.*\n.*){10}/)
    running.kill('SIGKILL')
    await running.exited
    expect(await place.run(['resume', '--yes'], { environment: { ADA_API_KEY: sandboxKey } })).toMatchObject({
      code: 0,
    })
    expect(sandbox.state.rateLimited).toBe(0)
    expect(summaryOf(place.onlyRun()).totals).toMatchObject({ succeeded: 14 })
  })
})
