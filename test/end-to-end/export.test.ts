import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { type SandboxOptions, startSandbox } from '../sandbox/sandboxes.js'
import {
  closeAtEnd,
  csvOf,
  expectNoStack,
  expectRefusal,
  key,
  openPlace,
  type Place,
  reportOf,
} from './harness.js'

/** An instance with so many conversations in its Data Export, and a place to export them to. */
async function scene(options: SandboxOptions = {}) {
  const place = openPlace()
  const sandbox = await startSandbox({
    key,
    conversations: 700,
    limits: 'none',
    exportLimits: 'none',
    keepCalls: true,
    ...options,
  })
  closeAtEnd(() => sandbox.close())
  const environment = { ADA_BASE_URL: sandbox.url }
  const start = (more = '', options = {}) =>
    place.start(
      `export --updated-since 130d --api-limit none --page-size 100 --output out/export.jsonl.gz ${more}`
        .trim()
        .split(' '),
      { environment, ...options },
    )
  return { place, sandbox, environment, start }
}

const textOf = (place: Place, name = 'out/export.jsonl.gz') =>
  gunzipSync(readFileSync(join(place.directory, name))).toString()

const idsOf = (text: string) =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line)._id as string)

test.concurrent('an export is one file, with progress on stderr and one line on stdout', async () => {
  const { place, sandbox, start } = await scene()
  const ended = await start().exited
  expect(ended).toMatchObject({ code: 0, stdout: '700 records in out/export.jsonl.gz\n' })
  expect(ended.stderr).toMatch(/^page 1: 100 records, 0 of 3 queries done\n/)
  expect(ended.stderr).toMatch(/: 700 records, 3 of 3 queries done\n$/)
  const ids = idsOf(textOf(place))
  expect(new Set(ids).size).toBe(700)
  const updated = ids.map((id) => sandbox.state.conversations.listed.get(id)!.updatedAtMs)
  expect(updated).toEqual([...updated].sort((a, b) => a - b))
  expect(readdirSync(join(place.directory, 'out'))).toEqual(['export.jsonl.gz'])

  // The key is nowhere, and a second export does not write over the first.
  const files = readdirSync(place.directory, { recursive: true, withFileTypes: true }).filter((file) =>
    file.isFile(),
  )
  for (const file of files)
    expect(readFileSync(join(file.parentPath, file.name)).includes(key), file.name).toBe(false)
  expectRefusal(await start().exited, /is there already/)
})

test.concurrent('--json says where the file is and how many there are', async () => {
  const { place, start } = await scene({ conversations: 30 })
  const ended = await start('--json').exited
  expect(ended.code).toBe(0)
  expect(JSON.parse(ended.stdout)).toEqual({
    output: join(place.directory, 'out/export.jsonl.gz'),
    records: 30,
    pages: 3,
    queries: 3,
  })
})

test.concurrent('killed again and again, the same command brings the same file as without', async () => {
  const { place, environment, start } = await scene()
  expect(await start('--quiet').exited).toMatchObject({ code: 0, stdout: '', stderr: '' })
  const { directory } = openPlace()
  const again = (dieAtStep: number) =>
    start('--quiet', {
      directory,
      environment: {
        ...environment,
        NODE_OPTIONS: `--import ${resolve('test/end-to-end/die-at-step.mjs')}`,
        STEPS_BELOW: join(directory, 'out'),
        DIE_AT_STEP: String(dieAtStep),
      },
    }).exited
  for (const step of [25, 37]) {
    expect(await again(step), `step ${step}`).toMatchObject({ code: null, signal: 'SIGKILL' })
    expect(existsSync(join(directory, 'out/export.jsonl.gz'))).toBe(false)
  }
  expect((await again(0)).code).toBe(0)
  expect(gunzipSync(readFileSync(join(directory, 'out/export.jsonl.gz'))).toString()).toBe(textOf(place))
})

test.concurrent('SIGINT stops it (130), other flags are refused meanwhile, and the same command goes on', async () => {
  const { place, sandbox, environment, start } = await scene({ latencyMs: { min: 150, max: 150 } })
  const running = start()
  await running.says(/page 3:/)
  running.kill('SIGINT')
  const stopped = await running.exited
  expect(stopped).toMatchObject({ code: 130, stdout: '' })
  expect(stopped.stderr).toMatch(/Stopped\. The same command goes on from here\./)
  expectNoStack(stopped)

  const other = await place.run(
    'export --updated-since 20d --api-limit none --output out/export.jsonl.gz'.split(' '),
    { environment },
  )
  expectRefusal(other, /is of another export/)

  const before = sandbox.state.calls.length
  expect((await start().exited).code).toBe(0)
  expect(new Set(idsOf(textOf(place))).size).toBe(700)
  expect(sandbox.state.calls.length - before).toBeLessThan(9)
})

test.concurrent('without the add-on it says so (4)', async () => {
  const { start } = await scene({ conversations: 1, dataExport: false })
  const ended = await start().exited
  expect(ended).toMatchObject({ code: 4, stdout: '' })
  expect(ended.stderr).toMatch(/add-on/)
  expectNoStack(ended)
})

test.concurrent('a next page on another host does not get the key (2)', async () => {
  const { start } = await scene({ nextPageOrigin: 'https://elsewhere.example' })
  expectRefusal(await start('--quiet').exited, /another host \(elsewhere\.example\)/)
})

test.concurrent('a disk without room stops it (4), and with room it goes on', async () => {
  const { place, start } = await scene()
  const full = await start('', {
    through: (command: string[]) => ['bash', '-c', 'ulimit -f 64; exec "$@"', 'bash', ...command],
  }).exited
  expect(full).toMatchObject({ code: 4, stdout: '' })
  expect(full.stderr).toMatch(/cannot write .*export\.jsonl\.gz\.part: EFBIG/)
  expectNoStack(full)
  expect((await start().exited).code).toBe(0)
  expect(new Set(idsOf(textOf(place))).size).toBe(700)
})

test.concurrent('a job goes live over it: each conversation is asked for, and ended a second later', async () => {
  const { place, sandbox, environment } = await scene({ conversations: 0 })
  const dayMs = 86_400_000
  const ids = ['66f0b7d2000000000000000a', '66f0b7d2000000000000000b', '66f0b7d2000000000000000c']
  for (const [nth, id] of ids.entries()) {
    sandbox.state.conversations.add({ id, createdAtMs: Date.now() - 30 * dayMs + nth, isEnded: nth === 2 })
  }
  const args = 'close-stale --idle 14d --live --check-first'.split(' ')
  const plan = await place.run(['plan', ...args, '--json'], { environment })
  expect(JSON.parse(plan.stdout)).toMatchObject({ read: 3, items: 3, calls: 6 })
  const ended = await place.run(['run', ...args, '--yes', '--quiet', '--api-limit', 'none'], { environment })
  expect(ended).toMatchObject({ code: 0, stdout: '' })
  const rows = reportOf(place.onlyRun()).map(({ id, reason, attempts }) => [id, reason, attempts])
  expect(rows).toEqual([
    [ids[0], 'ended', '2'],
    [ids[1], 'ended', '2'],
    [ids[2], 'already_ended', '1'],
  ])
  for (const id of ids.slice(0, 2)) {
    const [asked, done] = sandbox.state.calls.filter((call) => call.id === id)
    expect([asked!.method, done!.method]).toEqual(['GET', 'POST'])
    expect(done!.atMs - asked!.atMs).toBeGreaterThanOrEqual(995)
  }
})

test.concurrent('end-handoffs gives back who is with a person; nobody there is no failure', async () => {
  const { place, sandbox, environment } = await scene({ conversations: 0 })
  const ids = ['66f2a91c4be07d3f5c1e0200', '66f0b7d2000000000000000b', '66f2a91c4be07d3f5c1e0404']
  place.write('handoffs.csv', csvOf(ids))
  const ended = await place.run(
    'run end-handoffs -i handoffs.csv --yes --quiet --api-limit none'.split(' '),
    {
      environment,
    },
  )
  expect(ended.code).toBe(3)
  expect(reportOf(place.onlyRun()).map(({ status, reason }) => [status, reason])).toEqual([
    ['succeeded', 'handoff_ended'],
    ['succeeded', 'not_in_handoff'],
    ['failed', 'not_found'],
  ])
  expect(ids.some((id) => sandbox.state.isEnded(id))).toBe(false)
})

describe.concurrent('what is wrong is said in one sentence, and nothing is sent (2):', () => {
  test.each([
    ['no output', 'export --updated-since 90d', /output/],
    ['both dates', 'export --updated-since 9d --created-since 9d -o a.gz', /do not go together/],
    ['a strange flag', 'export --since 9d -o a.gz', /since/],
    ['no instance', 'export -o a.gz', /no instance/],
  ])('%s', async (_name, typed, words) => {
    const place = openPlace()
    expectRefusal(await place.run(typed.split(' ')), words)
    expect(existsSync(join(place.directory, 'a.gz.part'))).toBe(false)
  })
})
