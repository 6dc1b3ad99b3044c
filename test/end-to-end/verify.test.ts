import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Verification } from '../../src/reports/verify.js'
import {
  ada,
  hang,
  hangAfter,
  notFound,
  type Script,
  startFakeApi,
  unauthorized,
  unavailable,
} from './fake-api.js'
import {
  conversationIds,
  csvOf,
  expectRefusal,
  openPlace,
  type Place,
  reportOf,
  summaryOf,
} from './harness.js'

const ids = conversationIds(8)

async function scene(script: Script = ada) {
  const place = openPlace()
  place.write('stale.csv', csvOf(ids))
  const api = await startFakeApi(script)
  const args = (flags = '') =>
    `run end-conversations -i stale.csv --base-url ${api.url} --yes --api-limit none --run-dir night ${flags}`
      .trim()
      .split(/ +/)
  return { place, api, args, path: (name: string) => join(place.directory, 'night', name) }
}

async function verified(place: Place, ...args: string[]): Promise<Verification> {
  const { code, stdout, stderr } = await place.run(['verify', 'night', '--json', ...args])
  expect(stderr).toBe('')
  const verification: Verification = JSON.parse(stdout)
  expect(code).toBe(verification.isRight ? 0 : 3)
  return verification
}

/** Nobody touched it: all is right. */
async function expectRight(place: Place, ...args: string[]): Promise<Verification> {
  const verification = await verified(place, ...args)
  expect(verification.checks.filter(({ isRight }) => isRight !== true)).toEqual([])
  return verification
}

describe('an untouched run is right when it', () => {
  test.concurrent('is finished, and its head is the one that was printed', async () => {
    const { place, args } = await scene()
    const { code, stdout } = await place.run(args())
    expect(code).toBe(0)
    const head = /^Head of the record: ([0-9a-f]{64})$/m.exec(stdout)![1]!
    expect(await expectRight(place, '--head', head, '-i', 'stale.csv')).toMatchObject({ head })
    const said = await place.run(['verify', 'night'])
    expect(said).toMatchObject({ code: 0, stderr: '' })
    expect(said.stdout).toMatch(/^ok {2}chain .*\n/)
    expect(said.stdout).toContain(`Head of night: ${head}\n`)
  })

  test.concurrent('is finished with failures, retried calls and lost answers', async () => {
    const { place, args } = await scene((call) => {
      if (call.id === ids[1]) return notFound
      if (call.id === ids[2]) return call.nth === 1 ? unavailable : ada(call)
      return call.id === ids[3] ? hang : ada(call)
    })
    expect(await place.run(args('--attempts 2 --timeout 1s'))).toMatchObject({ code: 3 })
    await expectRight(place, '-i', 'stale.csv')
  })

  test.concurrent('stopped after some items, and when it was gone on with', async () => {
    const { place, args } = await scene()
    expect(await place.run(args('--max-items 3'))).toMatchObject({ code: 75 })
    const { head } = await expectRight(place)
    expect(await place.run(['resume', 'night', '--yes'])).toMatchObject({ code: 0 })
    await expectRight(place)
    const { checks } = await verified(place, '--head', head)
    expect(checks.find(({ name }) => name === 'head')!.finding).toMatch(
      /^line \d+ has the hash .* later execution/,
    )
  })

  test.concurrent.for(['SIGINT', 'SIGTERM'] as const)('was stopped by %s', async (signal) => {
    const { place, api, args } = await scene(async (call) => {
      if (call.index > 4) running.kill(signal)
      return ada(call)
    })
    const running = place.start(args('--concurrency 1'))
    expect((await running.exited).code).toBe(signal === 'SIGINT' ? 130 : 143)
    expect(api.calls.length).toBeLessThan(ids.length)
    await expectRight(place)
  })

  test.concurrent('was killed, was killed again with a line torn off, and came to its end', async () => {
    const { place, api, args, path } = await scene((call) => (call.index > 3 ? hangAfter : ada(call)))
    const first = place.start(args('--concurrency 2'))
    await api.arrived(5)
    first.kill('SIGKILL')
    await first.exited
    await expectRight(place)
    appendFileSync(path('checkpoint.jsonl'), '{"n":4,"status":"succ')
    const { checks } = await expectRight(place)
    expect(checks[0]!.finding).toMatch(/21 bytes behind line \d+ are no whole line/)
    api.script = (call) => (call.index > 6 ? hang : ada(call))
    const second = place.start(['resume', 'night', '--yes'])
    await api.arrived(7)
    second.kill('SIGKILL')
    await second.exited
    await expectRight(place)
    api.script = ada
    expect(await place.run(['resume', 'night', '--yes'])).toMatchObject({ code: 0 })
    await expectRight(place)
  })

  test.concurrent('was killed after a stop, so that its reports are older than its checkpoint', async () => {
    const { place, api, args } = await scene()
    await place.run(args('--max-items 3'))
    api.script = (call) => (call.index > 5 ? hang : ada(call))
    const running = place.start(['resume', 'night', '--yes', '--concurrency', '1'])
    await api.arrived(6)
    running.kill('SIGKILL')
    await running.exited
    const { checks } = await expectRight(place)
    expect(checks.find(({ name }) => name === 'report')!.finding).toMatch(/older than the checkpoint/)
  })

  test.concurrent('is at work', async () => {
    const { place, api, args } = await scene((call) => (call.index > 3 ? hang : ada(call)))
    const running = place.start(args('--concurrency 1'))
    await api.arrived(4)
    const { checks } = await expectRight(place)
    expect(checks[0]!.finding).toMatch(/the run is at work/)
    running.kill('SIGKILL')
    await running.exited
  })

  test.concurrent('went on with a changed input, twice, with answers lost on the way', async () => {
    const { place, api, args } = await scene((call) => (call.index > 3 ? hangAfter : ada(call)))
    const running = place.start(args('--concurrency 2'))
    await api.arrived(5)
    running.kill('SIGKILL')
    await running.exited
    api.script = (call) => (call.index > 8 ? hang : ada(call))
    place.write('stale.csv', csvOf([...conversationIds(2, 5), ...ids.slice(1)]))
    const accept = ['resume', 'night', '--yes', '--accept-changed-input']
    expect(await place.run([...accept, '--max-items', '2'])).toMatchObject({ code: 75 })
    await expectRight(place)
    place.write('stale.csv', csvOf([...ids].reverse()))
    api.script = ada
    expect(await place.run(accept)).toMatchObject({ code: 0 })
    await expectRight(place, '-i', 'stale.csv')
  })

  test.concurrent('died before its first line, and went on with a changed input', async () => {
    const { place, args, path } = await scene()
    await place.run(args('--max-items 1'))
    for (const name of ['checkpoint.jsonl', 'report.csv', 'report.html', 'summary.json']) rmSync(path(name))
    await expectRight(place)
    place.write('stale.csv', csvOf(ids.slice(2)))
    expect(await place.run(['resume', 'night', '--yes', '--accept-changed-input'])).toMatchObject({ code: 0 })
    await expectRight(place, '-i', 'stale.csv')
  })

  test.concurrent('called a conversation that a filter turns away by now', async () => {
    const { place, api, args } = await scene(() => hangAfter)
    place.write('answered.csv', '')
    place.write(
      'careful.mjs',
      `import { statSync } from 'node:fs'
       import { endConversation } from 'ada-bulk'
       const judge = () => statSync(new URL('answered.csv', import.meta.url)).size > 0 ? { status: 'filtered', reason: 'answered', message: '' } : null
       export default { describe: 'x', operation: endConversation, filters: () => [{ name: 'answered', judge }] }`,
    )
    const running = place.start(args('--concurrency 1').with(1, './careful.mjs'))
    await api.arrived(1)
    running.kill('SIGKILL')
    await running.exited
    place.write('answered.csv', 'all of them')
    expect(await place.run(['resume', 'night', '--yes'])).toMatchObject({ code: 0 })
    expect(reportOf(join(place.directory, 'night'))[0]).toMatchObject({ status: 'filtered', attempts: '1' })
    await expectRight(place)
  })

  test.concurrent('is a retry, reads stdin, or was moved with what it keeps', async () => {
    const { place, api, args } = await scene((call) => (call.id === ids[1] ? notFound : ada(call)))
    expect(
      await place.run(
        args()
          .with(3 - 1, '-i')
          .with(3, '-'),
        { stdin: csvOf(ids) },
      ),
    ).toMatchObject({ code: 3 })
    await expectRight(place)
    renameSync(join(place.directory, 'night'), join(place.directory, 'last-night'))
    api.script = ada
    expect(await place.run('retry last-night --yes --run-dir night'.split(' '))).toMatchObject({ code: 0 })
    await expectRight(place)
    mkdirSync(join(place.directory, 'archive'))
    renameSync(join(place.directory, 'night'), join(place.directory, 'archive', 'night'))
    expect(await place.run(['verify', 'archive/night'])).toMatchObject({ code: 0 })
    rmSync(join(place.directory, 'archive', 'night', 'retry.csv'))
    expect(await place.run(['verify', 'archive/night', '--without-input'])).toMatchObject({
      code: 3,
      stdout: expect.stringMatching(/^NOT input .*retry\.csv .* is gone and cannot be compared\.$/m),
    })
  })

  test.concurrent('had nothing to call, as all was on hold', async () => {
    const { place, api, args } = await scene()
    place.write('hold.csv', csvOf(ids))
    expect(await place.run(args('--hold hold.csv'))).toMatchObject({ code: 0 })
    expect(api.calls).toEqual([])
    const { checks } = await expectRight(place)
    expect(checks.find(({ name }) => name === 'hold')!.finding).toMatch(/none of 8 IDs was called/)
  })

  test.concurrent('was stopped because the key was rejected', async () => {
    // Withdrawn by the first call, so that the question whether it works at all is answered with 401 as well.
    const { place, api, args } = await scene(() => {
      api.key = 'another'
      return unauthorized
    })
    expect(await place.run(args())).toMatchObject({ code: 4 })
    await expectRight(place)
  })

  test.concurrent('was stopped because the disk was full', async () => {
    const { place, args, path } = await scene()
    // No file may grow beyond eight blocks of a kilobyte; the checkpoint is the first that would.
    place.write('stale.csv', csvOf(conversationIds(60)))
    const through = (command: string[]) => ['bash', '-c', `ulimit -f 8; exec "$@"`, 'bash', ...command]
    const full = await place.run(args('--log-level fatal'), { through })
    expect(full).toMatchObject({ code: 4, stdout: expect.stringContaining('checkpoint.jsonl') })
    const { head, isRight, checks } = await verified(place)
    expect(isRight).toBe(true)
    // There was no room for report.html either, which is said.
    expect(checks.filter((check) => check.isRight !== true)).toMatchObject([
      { name: 'report', isRight: null, finding: expect.stringContaining('report.html is not there') },
    ])
    expect(summaryOf(join(path(''), '.')).checkpointHead).toBe(head)
  })

  test.concurrent('asked for each conversation first, over a download', async () => {
    const place = openPlace()
    const args =
      'run close-stale --live --sandbox --idle 300d --check-first --yes --api-limit none --run-dir night'
    expect((await place.run(args.split(' '))).code).toBeOneOf([0, 3])
    await expectRight(place)
  })
})

test.concurrent('no code that the record names is run', async () => {
  const { place, args, path } = await scene()
  const job = (more = '') =>
    place.write(
      'mine.mjs',
      `import { writeFileSync } from 'node:fs'
       import { endConversation } from 'ada-bulk'
       ${more}
       export default { describe: 'x', operation: endConversation, idColumns: () => ['ticket'] }`,
    )
  job()
  place.write('tickets.csv', `number,ticket\n${ids.map((id, nth) => `${nth},${id}\n`).join('')}`)
  const words = args().with(1, './mine.mjs')
  expect(await place.run(words.with(words.indexOf('stale.csv'), 'tickets.csv'))).toMatchObject({ code: 0 })
  job("writeFileSync('was-run', process.env.ADA_API_KEY)")
  await expectRight(place)
  // A run of version 0.1 does not say how its job finds IDs.
  const { ids: _, ...old } = JSON.parse(readFileSync(path('run.json'), 'utf8'))
  writeFileSync(path('run.json'), JSON.stringify(old))
  const { checks } = await verified(place)
  expect(checks.find(({ name }) => name === 'complete')).toMatchObject({
    isRight: null,
    finding: expect.stringContaining('does not say how the job finds IDs'),
  })
  await place.run(['report', 'night', '--format', 'pack'])
  await place.run(['report', 'night', '--format', 'html'])
  expect(existsSync(join(place.directory, 'was-run'))).toBe(false)
})

describe('what is not right', () => {
  test.concurrent('is said line by line, with exit code 3', async () => {
    const { place, args, path } = await scene()
    await place.run(args())
    writeFileSync(path('report.csv'), readFileSync(path('report.csv'), 'utf8').replace('succeeded', 'failed'))
    const said = await place.run(['verify', 'night'])
    expect(said).toMatchObject({ code: 3, stderr: '' })
    expect(said.stdout).toMatch(/^NOT report {3}report\.csv, line 2: not what the checkpoint says; /m)
  })

  test.concurrent('an input that is gone is not right, unless it is left out', async () => {
    const { place, args } = await scene()
    await place.run(args())
    rmSync(join(place.directory, 'stale.csv'))
    const { isRight, checks } = await verified(place)
    expect(isRight).toBe(false)
    expect(checks.find(({ name }) => name === 'input')!.finding).toMatch(/is gone .*--without-input/)
    expect(await verified(place, '--without-input')).toMatchObject({ isRight: true })
  })

  test.concurrent('a list with an ID that has no outcome', async () => {
    const { place, args } = await scene()
    await place.run(args())
    place.write('list.csv', csvOf([...ids, 'forgotten']))
    const { checks } = await verified(place, '--input', 'list.csv')
    expect(checks.find(({ name }) => name === 'ids')).toMatchObject({
      isRight: false,
      finding: 'list.csv, line 10: forgotten has no outcome in the run.',
    })
  })

  test.concurrent('no such run, no such file, no head: exit code 2', async () => {
    const { place, args } = await scene()
    expectRefusal(await place.run(['verify', 'night']), /no run called night/)
    await place.run(args())
    expectRefusal(await place.run(['verify', 'night', '-i', 'none.csv']), /none\.csv/)
    expectRefusal(await place.run(['verify', 'night', '--head', 'abc']), /--head abc: not a head/)
  })
})
