import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { ada, startFakeApi } from './fake-api.js'
import { conversationIds, csvOf, openPlace, type Running } from './harness.js'

/** A run that gets two answers as often as it is let, beside which other commands are typed. */
async function startRun(flags: readonly string[] = []) {
  const place = openPlace()
  place.write('stale.csv', csvOf(conversationIds(400)))
  const api = await startFakeApi()
  const args = `run end-conversations -i stale.csv --base-url ${api.url} --yes --api-limit 2/100ms --run-dir runs/tonight`
  const running = place.start([...args.split(' '), ...flags])
  await api.arrived(4)
  const run = join(place.directory, 'runs', 'tonight')
  const events = () =>
    readFileSync(join(run, 'checkpoint.jsonl'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('{"event"'))
      .map((line) => JSON.parse(line))
  return { place, api, running, run, events }
}

async function stop(running: Running): Promise<void> {
  running.kill('SIGTERM')
  await running.exited
}

describe('a run that goes on in another process', () => {
  test.concurrent('stands still from pause to continue, and its record says who asked and when', async () => {
    const { place, api, running, run, events } = await startRun()
    const paused = await place.run(['pause', run])
    expect(paused).toMatchObject({ code: 0, stdout: expect.stringContaining('paused') })
    // Calls that had left before have arrived when the API has seen no other for several windows.
    const status = await place.run(['status', run, '--json'])
    expect(JSON.parse(status.stdout)).toMatchObject({ isPaused: true, live: { waitingFor: 'paused' } })
    const before = api.calls.length
    const later = await place.run(['status', run])
    expect(later.stdout).toMatch(/doing +paused/)
    expect(api.calls).toHaveLength(before)
    expect(await place.run(['continue', run])).toMatchObject({ code: 0 })
    await api.arrived(before + 4)
    await stop(running)
    expect(events().filter(({ event }) => /paused|continued/.test(event))).toMatchObject([
      {
        event: 'paused',
        by: expect.stringMatching(/./),
        host: expect.stringMatching(/./),
        at: expect.stringMatching(/^\d{4}-/),
      },
      { event: 'continued' },
    ])
  })

  test.concurrent('that was paused is paused after a kill, until it is let go on', async () => {
    const { place, api, running, run } = await startRun()
    await place.run(['pause', run])
    running.kill('SIGKILL')
    await running.exited
    const before = api.calls.length
    expect((await place.run(['status', run])).stdout).toMatch(/paused +until/)
    const resumed = place.start(['resume', run, '--progress', 'plain'])
    // It answers questions, and calls nothing.
    let status = { live: null as null | { waitingFor: string } }
    while (status.live?.waitingFor !== 'paused') {
      status = JSON.parse((await place.run(['status', run, '--json'])).stdout)
    }
    expect(api.calls).toHaveLength(before)
    await place.run(['continue', run])
    await api.arrived(before + 4)
    await stop(resumed)
  })

  test.concurrent('takes another pace, which holds when it is resumed, until a flag says otherwise', async () => {
    const { place, running, run, events } = await startRun()
    const throttled = await place.run(['throttle', run, '--limit', '3/m', '--share', '50%'])
    expect(throttled).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('now at 1/100ms (50% of 2/100ms), and at most 3/m'),
    })
    const waiting = async () => JSON.parse((await place.run(['status', run, '--json'])).stdout).live?.waiting
    expect(await waiting()).toBe('waiting for the window 3/m')
    await stop(running)
    expect(events().find(({ event }) => event === 'throttled')).toMatchObject({
      share: 0.5,
      limits: [{ max: 3, perMs: 60_000 }],
    })
    const resumed = place.start(['resume', run, '--yes', '--limit', '2/m'])
    let said: string | undefined
    while (!said) said = await waiting()
    expect(said).toBe('waiting for the window 2/m')
    await stop(resumed)
  })

  test.concurrent('can be changed while it does not run, and not when it is finished', async () => {
    const { place, api, running, run, events } = await startRun(['--max-items', '4'])
    expect(await running.exited).toMatchObject({ code: 75 })
    const paused = await place.run(['pause', run])
    expect(paused.stdout).toMatch(/does not run now. When it is resumed it begins with a pause/)
    expect((await place.run(['continue', run])).stdout).toMatch(/resume/)
    api.script = ada
    expect(
      await place.run(['resume', run, '--yes', '--api-limit', 'none', '--limit', '5000/s']),
    ).toMatchObject({ code: 0 })
    expect(events().map(({ event }) => event)).not.toContain('paused')
    expect(await place.run(['pause', run])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is finished'),
    })
    expect(await place.run(['throttle', run])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--share'),
    })
  })

  test.concurrent('says where the time went', async () => {
    const { running, events } = await startRun()
    await stop(running)
    const [waited] = events().filter(({ event }) => event === 'waited')
    expect(waited.ms['window 2/100']).toBeGreaterThan(0)
  })

  test.concurrent('is waited for with --wait instead of leaving', async () => {
    const { place, api, running } = await startRun()
    const waiting = place.start(
      `run end-conversations -i stale.csv --base-url ${api.url} --yes --api-limit none --wait`.split(' '),
    )
    await waiting.says(/running on .* already.*Waiting until it is done/)
    await stop(running)
    expect(await waiting.exited).toMatchObject({ code: 0 })
  })

  test.concurrent('is watched until it has ended', async () => {
    const { place, running, run } = await startRun()
    const watching = place.start(['status', run, '--watch'])
    await watching.says(/running, process[\s\S]*running, process/)
    await stop(running)
    const { code, stdout } = await watching.exited
    expect(code).toBe(0)
    expect(stdout).toMatch(/stopped \(143\)/)
  })
})

describe('a control file that another program wrote', () => {
  const signed = { by: 'ops', host: 'h' }

  test.concurrent('with a moment in another form leaves a record that can be read', async () => {
    const { place, running, run, events } = await startRun()
    const control = { isPaused: false, share: 0.5, limits: null, at: '2026-11-28T10:00:00+01:00', ...signed }
    place.write('runs/tonight/control.json', JSON.stringify(control))
    while (!events().some(({ event }) => event === 'throttled')) await delay(100)
    await stop(running)
    expect(events().find(({ event }) => event === 'throttled').at).toBe('2026-11-28T09:00:00.000Z')
    expect(await place.run(['report', run, '--format', 'csv', '--output', '-'])).toMatchObject({ code: 0 })
    expect(await place.run(['resume', run, '--yes', '--max-items', '1'])).toMatchObject({ code: 75 })
  })

  test.concurrent('and that asks for too much is refused as a whole, with a word', async () => {
    const { place, running, run, events } = await startRun()
    const at = new Date().toISOString()
    const control = { isPaused: true, share: 0.001, limits: null, at, ...signed }
    place.write('runs/tonight/control.json', JSON.stringify(control))
    const log = () => readFileSync(join(run, 'run.log'), 'utf8')
    while (!log().includes('control.json is not obeyed: share')) await delay(100)
    expect((await place.run(['status', run])).stdout).toMatch(/control +control.json is not obeyed: share/)
    await stop(running)
    expect(events().map(({ event }) => event)).not.toContain('paused')
    expect(events().map(({ event }) => event)).not.toContain('throttled')
  })
})
