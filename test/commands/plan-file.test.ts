import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { changed, daysAgo, expectRefused, ids, scene, table } from './plan-scene.js'

describe('plan --output', () => {
  test('keeps the plan with all that decides about it, for its owner only', async () => {
    const said = await scene.plan('--json', '--max-items', '5')
    expect(said).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^hold: 1 ID in .*; 1 matches\nKept in .*--plan /),
    })
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
      '--api-limit',
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
      expect(await scene.type('resume', scene.path('tonight'), '--yes', '--quiet')).toMatchObject({ code: 0 })
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
    const words = ['-i', scene.input, '--sandbox', '--api-limit', 'none', '--output', scene.file]
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
