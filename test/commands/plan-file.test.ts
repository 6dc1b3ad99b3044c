import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { RunFile } from '../../src/run-file.js'
import { type Desk, openDesk, type Said, startEndingApi } from './in-process.js'

const ids = Array.from({ length: 12 }, (_, index) => `66f2a91c4be07d3f5c1e00${index + 10}`)
const daysAgo = (days: number, nowMs = Date.now()) =>
  new Date(nowMs - days * 86_400_000).toISOString().slice(0, -1)
const table = (rows: readonly (readonly string[])[]) =>
  `${[['_id', 'date_updated'], ...rows].map((row) => row.join(',')).join('\n')}\n`

interface Scene extends Desk {
  api: { url: string; ended: string[] }
  input: string
  hold: string
  file: string
  /** `plan close-stale … --output plan.json`, with the flags that the plan was made with. */
  plan(...words: string[]): Promise<Said>
  /** `run close-stale --plan plan.json --yes`. */
  run(...words: string[]): Promise<Said>
  runFile(): RunFile
}

async function openScene(): Promise<Scene> {
  const desk = openDesk()
  const api = await startEndingApi()
  const input = desk.write('stale.csv', table(ids.map((id, index) => [id, daysAgo(index < 2 ? 1 : 60)])))
  const hold = desk.write('hold.csv', `_id\n${ids[2]}\n`)
  const file = desk.path('plan.json')
  const base = ['--idle', '30d', '--share', '50%', '--limit', 'none', '--base-url', api.url]
  return {
    ...desk,
    api,
    input,
    hold,
    file,
    plan: (...words) =>
      desk.type('plan', 'close-stale', '-i', input, '--hold', hold, ...base, '--output', file, ...words),
    run: (...words) =>
      desk.type(
        'run',
        'close-stale',
        '--plan',
        file,
        '--yes',
        '--progress',
        'none',
        '--run-dir',
        desk.path('tonight'),
        ...words,
      ),
    runFile: () => JSON.parse(readFileSync(join(desk.path('tonight'), 'run.json'), 'utf8')),
  }
}

let scene: Scene
beforeEach(async () => {
  scene = await openScene()
})

/** One sentence, exit code 2, nothing sent, nothing left behind. */
function expectRefused(said: Said, sentence: string | RegExp): void {
  const message = said.stderr.trimEnd().split('\n').at(-1)!
  if (typeof sentence === 'string') expect(message).toBe(`ada-bulk: ${sentence}`)
  else expect(message).toMatch(sentence)
  expect(said).toMatchObject({ code: 2, stdout: '' })
  expect(scene.api.ended).toEqual([])
  expect(existsSync(scene.path('tonight'))).toBe(false)
}
const changed = (what: string) =>
  `${scene.file} holds no longer: since it was made, ${what} changed. Make a new plan, and look at it.`

describe('plan --output', () => {
  test('keeps the plan with all that decides about it, for its owner only', async () => {
    const said = await scene.plan('--json', '--max-items', '5')
    expect(said).toMatchObject({ code: 0, stderr: expect.stringMatching(/^Kept in .*--plan /) })
    const kept = JSON.parse(readFileSync(scene.file, 'utf8'))
    expect(kept).toMatchObject({
      kind: 'plan',
      version: 1,
      job: 'close-stale',
      jobFlags: { idle: '30d' },
      jobSha256: null,
      instance: scene.api.url,
      settings: { share: 0.5, limits: 'none', format: 'auto' },
      input: [{ name: scene.input, path: scene.input, sha256: expect.stringMatching(/^[\da-f]{64}$/) }],
      hold: [{ name: scene.hold, sha256: expect.any(String) }],
      plan: { read: 12, calls: 9 },
      maxItems: 5,
      forecast: JSON.parse(said.stdout),
    })
    expect(Math.abs(Date.parse(kept.judgedAt) - Date.now())).toBeLessThan(60_000)
    expect(statSync(scene.file).mode & 0o777).toBe(0o600)
    expect(readFileSync(scene.file, 'utf8')).not.toContain(scene.environment.ADA_API_KEY)
    expect(scene.api.ended).toEqual([])
  })

  test('replaces a plan, but nothing else', async () => {
    await scene.plan()
    expect(await scene.plan('--idle', '31d')).toMatchObject({ code: 2 })
    expect(
      await scene.type(
        'plan',
        'close-stale',
        '-i',
        scene.input,
        '--base-url',
        scene.api.url,
        '--output',
        scene.file,
      ),
    ).toMatchObject({ code: 0 })
    const before = readFileSync(scene.input, 'utf8')
    const said = await scene.type(
      'plan',
      'close-stale',
      '-i',
      scene.input,
      '--base-url',
      scene.api.url,
      '--output',
      scene.input,
    )
    expectRefused(said, `${scene.input}: is there already and is no plan: name another --output.`)
    expect(readFileSync(scene.input, 'utf8')).toBe(before)
  })

  test('needs a place to write, an instance, and an input that stays', async () => {
    const nowhere = join(scene.directory, 'nowhere', 'plan.json')
    const words = ['plan', 'close-stale', '-i', scene.input]
    const there = ['--base-url', scene.api.url]
    expectRefused(
      await scene.type(...words, ...there, '--output', nowhere),
      `--output ${nowhere}: cannot be written (ENOENT).`,
    )
    expectRefused(
      await scene.type(...words, '--output', scene.file),
      /^ada-bulk: no instance: name it with --base-url/,
    )
    for (const live of [
      ['plan', 'close-stale', '--live'],
      ['plan', 'cleanup'],
    ])
      expectRefused(
        await scene.type(...live, ...there, '--output', scene.file),
        /^ada-bulk: --output: what is downloaded for a plan is gone afterwards, .*`ada-bulk export`/,
      )
    expect(existsSync(scene.file)).toBe(false)
  })
})

describe('run --plan', () => {
  test('does what was planned; what is left out on the command line is the plan’s', async () => {
    await scene.plan('--id-column', '_id', '--attempts', '2')
    expect(await scene.run()).toMatchObject({ code: 0 })
    expect(scene.api.ended.toSorted()).toEqual(ids.slice(3))
    const kept = JSON.parse(readFileSync(scene.file, 'utf8'))
    expect(scene.runFile()).toMatchObject({
      jobFlags: { idle: '30d' },
      settings: { share: 0.5, idColumn: '_id', attemptsMax: 2 },
      input: kept.input,
      hold: kept.hold,
      instance: scene.api.url,
      judgedAt: kept.judgedAt,
    })
  })

  test('takes the same words again', async () => {
    await scene.plan()
    const again = [
      '-i',
      scene.input,
      '--hold',
      scene.hold,
      '--idle',
      '30d',
      '--share',
      '50%',
      '--limit',
      'none',
    ]
    expect(await scene.run(...again, '--base-url', `${scene.api.url}/`)).toMatchObject({ code: 0 })
    expect(scene.api.ended).toHaveLength(9)
  })

  test('takes a copy of the input', async () => {
    await scene.plan()
    const copy = scene.write('copy.csv', readFileSync(scene.input, 'utf8'))
    expect(await scene.run('-i', copy)).toMatchObject({ code: 0 })
    expect(scene.api.ended).toHaveLength(9)
  })

  test('chooses by the moment of the plan, however much later it begins, and when it is resumed', async () => {
    scene.write('stale.csv', table(ids.map((id, index) => [id, daysAgo(25 + index)])))
    await scene.plan()
    vi.useFakeTimers({ now: Date.now() + 20 * 86_400_000, toFake: ['Date'] })
    try {
      // The first five were idle for less than 30 days then, and are for longer now.
      expect(await scene.run('--max-items', '3')).toMatchObject({ code: 75 })
      const { resumeRun } = await import('../../src/commands/resume.js')
      const { openNotices } = await import('../../src/telling/notices.js')
      const { runDirectory } = await import('../../src/run-directory.js')
      const quiet = {
        environment: scene.environment,
        isInteractive: false,
        isStderrTerminal: false,
        print() {},
        notice() {},
        ask: async () => '',
      }
      expect(
        await resumeRun(
          runDirectory(scene.path('tonight')),
          { yes: true, quiet: true } as Parameters<typeof resumeRun>[1],
          quiet,
          openNotices([], null, () => {}),
        ),
      ).toBe(0)
    } finally {
      vi.useRealTimers()
    }
    expect(scene.api.ended.toSorted()).toEqual(ids.slice(5))
  })

  test('goes no further than planned', async () => {
    await scene.plan('--max-items', '5')
    expectRefused(await scene.run('--max-items', '6'), `--max-items 6: ${scene.file} is for 5 at most.`)
    expect(await scene.run()).toMatchObject({ code: 75 })
    expect(scene.api.ended).toHaveLength(5)
  })

  test('tries a few of it', async () => {
    await scene.plan()
    expect(await scene.run('--max-items', '2')).toMatchObject({ code: 75 })
    expect(scene.api.ended).toHaveLength(2)
  })

  test('practises in the sandbox what was planned for it', async () => {
    const words = ['-i', scene.input, '--sandbox', '--limit', 'none', '--output', scene.file]
    await scene.type('plan', 'close-stale', ...words)
    expectRefused(await scene.run(), /no instance: .* use --sandbox/)
    expectRefused(
      await scene.run('--base-url', scene.api.url),
      changed(`the instance (sandbox, now ${scene.api.url})`),
    )
    expect(await scene.run('--sandbox')).toMatchObject({ code: 0 })
    expect(scene.runFile().isSandbox).toBe(true)
  })
})

describe('run --plan refuses', () => {
  beforeEach(async () => {
    await scene.plan()
  })

  test('what was planned otherwise, by its flag', async () => {
    const otherwise: [words: string[], what: string][] = [
      [['--idle', '14d'], '--idle'],
      [['--language', 'fr'], '--language'],
      [['--share', '80%'], '--share'],
      [['--limit', '30/s'], '--limit'],
      [['--hours', '22:00-06:00'], '--hours'],
      [['--concurrency', '2'], '--concurrency'],
      [['--timeout', '5s'], '--timeout'],
      [['--attempts', '1'], '--attempts'],
      [['--max-failures', '10'], '--max-failures'],
      [['--max-outage', '1m'], '--max-outage'],
      [['--check-first'], '--check-first'],
      [['--format', 'csv'], '--format'],
      [['--id-column', '1'], '--id-column'],
      [['--accept-truncated'], '--accept-truncated'],
      [['--idle', '14d', '--share', '80%'], '--idle and --share'],
    ]
    for (const [words, what] of otherwise) expectRefused(await scene.run(...words), changed(what))
  })

  test('another instance, on the command line or in the environment', async () => {
    const what = `the instance (${scene.api.url}, now https://acme.ada.support)`
    expectRefused(await scene.run('--base-url', 'https://acme.ada.support'), changed(what))
    scene.environment.ADA_BASE_URL = 'https://acme.ada.support'
    expectRefused(await scene.run(), changed(what))
    expectRefused(await scene.run('--sandbox'), changed(`the instance (${scene.api.url}, now sandbox)`))
  })

  test('another job', async () => {
    const said = await scene.type('run', 'end-conversations', '--plan', scene.file, '--yes')
    expectRefused(said, changed('the job (close-stale, now end-conversations)'))
  })

  test('an input that changed, by a byte', async () => {
    writeFileSync(scene.input, `${readFileSync(scene.input, 'utf8')}\n`)
    expectRefused(await scene.run(), changed(`the input ${scene.input}`))
  })

  test('another input, more of it, or none', async () => {
    const other = scene.write('other.csv', table([[ids[0]!, daysAgo(60)]]))
    expectRefused(await scene.run('-i', other), changed(`the input ${other}`))
    expectRefused(await scene.run('-i', scene.input, '-i', other), changed('the input (1 file, now 2 files)'))
    writeFileSync(scene.input, '')
    expectRefused(await scene.run(), /stale\.csv is empty/)
  })

  test('a hold list that changed, or another one', async () => {
    const other = scene.write('more.csv', `_id\n${ids[5]}\n`)
    expectRefused(
      await scene.run('--hold', scene.hold, '--hold', other),
      changed('the hold list (1 file, now 2 files)'),
    )
    expectRefused(await scene.run('--hold', other), changed(`the hold list ${other}`))
    scene.write('hold.csv', `_id\n${ids[5]}\n`)
    expectRefused(await scene.run(), changed(`the hold list ${scene.hold}`))
  })

  test('a plan of another version of the program', async () => {
    const kept = JSON.parse(readFileSync(scene.file, 'utf8'))
    writeFileSync(scene.file, JSON.stringify({ ...kept, adaBulk: '0.0.1' }))
    expectRefused(
      await scene.run(),
      new RegExp(
        `holds no longer: since it was made, ada-bulk itself \\(0\\.0\\.1, now ${kept.adaBulk}\\) changed`,
      ),
    )
  })

  test('what is no plan', async () => {
    for (const text of [
      '',
      '{',
      '[]',
      '{"kind":"plan","version":1}',
      readFileSync(scene.file, 'utf8').replace('"version": 1', '"version": 2'),
    ]) {
      writeFileSync(scene.file, text)
      expectRefused(await scene.run(), `${scene.file}: is no plan that \`plan --output\` has made.`)
    }
    const missing = scene.path('missing.json')
    expectRefused(
      await scene.type('run', 'close-stale', '--plan', missing, '--yes'),
      `${missing}: cannot be read (ENOENT).`,
    )
  })

  test('what goes against it', async () => {
    expectRefused(await scene.run('--live'), /--plan .* --live .*: give one of them\.$/)
    expectRefused(await scene.run('--continue'), /--plan .* --continue .*: give one of them\.$/)
    expectRefused(await scene.run('--dry-run'), /--plan .* --dry-run .*: give one of them\.$/)
  })
})

/** A job file whose operation has done everything already. */
const ownJob = (describe: string, more = '') => `
  const quota = { retryAfterMs: null, limit: null, remaining: null, resetInMs: null }
  const outcome = { status: 'succeeded', reason: 'ended', httpStatus: 200, message: '' }
  const attempt = async () => ({ kind: 'settled', quota, outcome })
  const operation = { name: 'end', verb: 'end', noun: 'conversation', limits: [], attempt }
  export default { describe: '${describe}', ${more} operation }
`

test('a plan of one’s own job file holds until the file changes', async () => {
  const job = scene.write('own.mjs', ownJob('Ends what a list names.'))
  const words = ['-i', scene.input, '--base-url', scene.api.url]
  expect(await scene.type('plan', job, ...words, '--output', scene.file)).toMatchObject({ code: 0 })
  const run = () =>
    scene.type(
      'run',
      job,
      '--plan',
      scene.file,
      '--yes',
      '--progress',
      'none',
      '--run-dir',
      scene.path('tonight'),
    )
  scene.write('own.mjs', ownJob('Ends it all.'))
  expectRefused(await run(), changed('the job file'))
  scene.write('own.mjs', ownJob('Ends what a list names.'))
  expect(await run()).toMatchObject({ code: 0 })
})

test('a plan of a job that remembers holds until another run has settled some of it', async () => {
  const job = scene.write('own.mjs', ownJob('Ends what a list names, once.', 'remembers: true,'))
  const words = ['-i', scene.input, '--base-url', scene.api.url]
  await scene.type('plan', job, ...words, '--output', scene.file)
  const first = scene.write('first.csv', `_id\n${ids[0]}\n`)
  const other = await scene.type(
    'run',
    job,
    '-i',
    first,
    '--base-url',
    scene.api.url,
    '--yes',
    '--progress',
    'none',
    '--run-dir',
    scene.path('before'),
  )
  expect(other).toMatchObject({ code: 0 })
  scene.api.ended.length = 0
  const said = await scene.type('run', job, '--plan', scene.file, '--yes', '--run-dir', scene.path('tonight'))
  expectRefused(said, changed('what the job picks from the input'))
})
