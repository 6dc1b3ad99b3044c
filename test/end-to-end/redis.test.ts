import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { sandboxKey } from '../../src/sandbox/options.js'
import { startSandbox } from '../sandbox/sandboxes.js'
import { startProxy } from '../system/proxy.js'
import { hasRedis, startRedis } from '../system/server.js'
import { ada, hang, startFakeApi } from './fake-api.js'
import { closeAtEnd, conversationIds, csvOf, openPlace, reportOf, summaryOf } from './harness.js'

/** A ledger that is new on a server that is new waits for a hold and a window, so both are short here. */
const pace = '--api-limit 20/500ms --share 100% --timeout 1s'

async function openRedis(settings: string[] = []) {
  const redis = await startRedis(settings)
  closeAtEnd(() => redis.stop())
  return redis
}

describe.runIf(hasRedis)('hosts that share a Redis', () => {
  test.concurrent('share the windows of their instance', async () => {
    const redis = await openRedis()
    const sandbox = await startSandbox({
      limits: [{ max: 20, perMs: 500 }],
      latencyMs: { min: 2, max: 20 },
      keepCalls: true,
    })
    closeAtEnd(() => sandbox.close())
    // Two hosts: neither sees the other's files.
    const hosts = [openPlace(), openPlace()]
    const ended = await Promise.all(
      hosts.map((host, number) => {
        host.write('ids.csv', csvOf(conversationIds(60).map((id) => id.replace(/^./, String(number)))))
        host.write(
          'job.ts',
          `import { defineJob, endConversation } from 'ada-bulk'\nexport default defineJob({ describe: 'Host ${number}.', operation: endConversation })\n`,
        )
        const args = `run ./job.ts -i ids.csv --base-url ${sandbox.url} --yes ${pace} --redis-url ${redis.url}`
        return host.run(args.split(' '), { environment: { ADA_API_KEY: sandboxKey } })
      }),
    )
    for (const { code, stderr } of ended) expect(code, stderr).toBe(0)
    expect(sandbox.state.arrived).toBe(120)
    expect(sandbox.state.rateLimited).toBe(0)
  })

  test.concurrent('run one job on an instance at a time, and say where it runs', async () => {
    const redis = await openRedis()
    const api = await startFakeApi(() => hang)
    const hosts = [openPlace(), openPlace()] as const
    for (const host of hosts) host.write('ids.csv', csvOf(conversationIds(3)))
    const environment = { ADA_BULK_REDIS_URL: redis.url }
    const args = `run end-conversations -i ids.csv --base-url ${api.url} --yes --api-limit none`.split(' ')
    const first = hosts[0].start(args, { environment })
    await api.arrived(3)
    const second = await hosts[1].run(args, { environment })
    expect(second.code).toBe(75)
    expect(second.stderr).toContain(`process ${first.pid}`)
    expect(second.stderr).toContain(hosts[0].onlyRun())
    api.script = ada
    first.kill('SIGTERM')
    await first.says(/SIGTERM/)
    first.kill('SIGKILL')
    await first.exited
    const again = await hosts[1].run([...args, '--parallel'], { environment })
    expect(again.code, again.stderr).toBe(0)
  })

  test.concurrent('go on with a run whose directory they share, on whichever host', async () => {
    const redis = await openRedis()
    const api = await startFakeApi()
    const place = openPlace()
    place.write('ids.csv', csvOf(conversationIds(8)))
    const args = `run end-conversations -i ids.csv --base-url ${api.url} --yes ${pace} --redis-url ${redis.url} --continue`
    const first = await place.run([...args.split(' '), '--max-items', '3'])
    expect(first.code, first.stderr).toBe(75)
    // Another host has the volume and nothing else.
    rmSync(place.state, { recursive: true })
    const second = await place.run(args.split(' '))
    expect(second.code, second.stderr).toBe(0)
    expect(summaryOf(place.onlyRun()).totals).toMatchObject({ succeeded: 8, left: 0 })
    expect(api.calls).toHaveLength(8)
  })

  test.concurrent('do not start while it is away, and say where it should be but no password', async () => {
    const redis = await openRedis()
    await redis.stop()
    const place = openPlace()
    place.write('ids.csv', csvOf(conversationIds(3)))
    const api = await startFakeApi()
    const url = `redis://kim:s3cr3t-w0rd@127.0.0.1:${redis.port}/0`
    const { code, stderr, stdout } = await place.run(
      `run end-conversations -i ids.csv --base-url ${api.url} --yes --redis-url ${url}`.split(' '),
    )
    expect(code).toBe(2)
    expect(stderr).toMatch(new RegExp(`Redis at 127.0.0.1:${redis.port} cannot be used`))
    expect(stderr + stdout).not.toMatch(/s3cr3t|kim| {4}at /)
    expect(api.calls).toEqual([])
    const doctor = await place.run(['doctor', '--base-url', api.url, '--redis-url', url])
    expect(doctor).toMatchObject({ code: 3, stdout: expect.stringMatching(/^NOT redis/m) })
  })

  test.concurrent('call nothing while it is lost in the middle, and go on when it is back', async () => {
    const redis = await openRedis()
    const proxy = await startProxy(redis.port)
    closeAtEnd(() => proxy.stop())
    const place = openPlace()
    place.write('ids.csv', csvOf(conversationIds(60)))
    const api = await startFakeApi()
    const run = place.start(
      `run end-conversations -i ids.csv --base-url ${api.url} --yes --run-dir run ${pace} --redis-url redis://127.0.0.1:${proxy.port}`.split(
        ' ',
      ),
    )
    await api.arrived(20)
    proxy.set('refusing')
    const waitingFor = async () =>
      JSON.parse((await place.run(['status', 'run', '--json'])).stdout).live?.waitingFor
    while ((await waitingFor()) !== 'ledger');
    const before = api.calls.length
    expect(before).toBeLessThan(60)
    await waitingFor()
    expect(api.calls).toHaveLength(before)
    proxy.set('open')
    const { code, stderr } = await run.exited
    expect(code, stderr).toBe(0)
    expect(reportOf(join(place.directory, 'run'))).toHaveLength(60)
    expect(api.calls).toHaveLength(60)
  })

  test.concurrent('give up after --redis-timeout, and resume later', async () => {
    const redis = await openRedis()
    const place = openPlace()
    place.write('ids.csv', csvOf(conversationIds(60)))
    const api = await startFakeApi()
    const args = `--redis-url ${redis.url} --redis-timeout 1s`.split(' ')
    const run = place.start([
      ...`run end-conversations -i ids.csv --base-url ${api.url} --yes --run-dir run ${pace}`.split(' '),
      ...args,
    ])
    await api.arrived(20)
    await redis.kill()
    const { code, stdout } = await run.exited
    expect(code).toBe(75)
    expect(stdout).toMatch(/stopped: .*Redis/)
    await redis.start()
    const resumed = await place.run(['resume', 'run', '--yes', ...args])
    expect(resumed.code, resumed.stderr).toBe(0)
    expect(new Set(api.calls.map(({ id }) => id)).size).toBe(60)
  })
})
