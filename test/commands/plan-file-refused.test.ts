import { readFileSync, writeFileSync } from 'node:fs'
import { beforeEach, describe, expect, test } from 'vitest'
import { changed, daysAgo, expectRefused, ids, scene, table } from './plan-scene.js'

describe('run --plan refuses', () => {
  beforeEach(async () => {
    await scene.plan()
  })

  test('what was planned otherwise, by its flag', async () => {
    const otherwise: [words: string[], what: string][] = [
      [['--idle', '14d'], '--idle'],
      [['--language', 'fr'], '--language'],
      [['--share', '80%'], '--share'],
      [['--api-limit', '30/s'], '--api-limit'],
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
