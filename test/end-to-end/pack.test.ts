import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { unzip } from '../reports/unzip.js'
import { ada, hang, notFound, startFakeApi } from './fake-api.js'
import { cannotTestHere, conversationIds, csvOf, expectRefusal, openPlace, summaryOf } from './harness.js'

const ids = conversationIds(6)

async function scene() {
  const place = openPlace()
  place.write('hold.csv', csvOf(ids.slice(5)))
  const api = await startFakeApi((call) => (call.id === ids[1] ? notFound : ada(call)))
  const run = (flags = '', stdin = '') =>
    place.start(
      `run end-conversations --base-url ${api.url} --yes --api-limit none --hold hold.csv --run-dir night ${flags}`
        .trim()
        .split(/ +/),
      { stdin },
    )
  const path = (name: string) => join(place.directory, name)
  const pack = (...args: string[]) => place.run(['report', 'night', '--format', 'pack', ...args])
  return { place, api, run, path, pack }
}

/** What the README says, typed in the unpacked archive: its blocks that are set in by three spaces. */
function typed(directory: string): string[] {
  const blocks = readFileSync(join(directory, 'README.txt'), 'utf8').match(/(?:^ {3}\S.*\n(?: {3}.*\n)*)/gm)!
  return blocks
    .filter((block) => /sha256sum|grep/.test(block) && !/^ {3}(first|two)/.test(block))
    .map((block) => {
      const { stdout, stderr } = spawnSync('sh', ['-c', block], { cwd: directory, encoding: 'utf8' })
      return stdout + stderr
    })
}

const isThere = spawnSync('sha256sum', ['--version']).error === undefined

test.concurrent('a pack holds the record, says what was found, and twice the same bytes', async () => {
  const { run, path, pack } = await scene()
  expect(await run('--input=-', csvOf(ids)).exited).toMatchObject({ code: 3 })
  expect(await pack('-o', 'night.zip')).toMatchObject({ code: 0, stdout: 'night.zip\n', stderr: '' })
  expect(statSync(path('night.zip')).mode & 0o777).toBe(0o600)
  expect(await pack()).toMatchObject({ code: 0, stdout: 'night.zip\n' })
  const archive = readFileSync(path('night.zip'))
  const { place } = await scene()
  const elsewhere = await place.run(['report', path('night'), '--format', 'pack', '-o', 'b.zip'], {
    environment: { TZ: 'Asia/Tokyo' },
  })
  expect(elsewhere).toMatchObject({ code: 0 })
  expect(readFileSync(join(place.directory, 'b.zip')).equals(archive)).toBe(true)

  const names = unzip(archive, path('pack'))
  expect(names).toEqual([
    ...[
      'README.txt',
      'run.json',
      'checkpoint.jsonl',
      'summary.json',
      'report.csv',
      'report.html',
      'stdin',
      'SHA256SUMS',
    ],
  ])
  const sums = names.slice(0, -1).map((name) => {
    const bytes = readFileSync(join(path('pack'), name))
    if (name !== 'README.txt') expect(bytes.equals(readFileSync(join(path('night'), name)))).toBe(true)
    return `${createHash('sha256').update(bytes).digest('hex')}  ${name}\n`
  })
  expect(readFileSync(join(path('pack'), 'SHA256SUMS'), 'utf8')).toBe(sums.join(''))
  const readme = readFileSync(join(path('pack'), 'README.txt'), 'utf8')
  for (const words of [
    `job        end-conversations`,
    'finished (3)',
    'What became of the 6 rows',
    '  succeeded  4\n  failed     1\n',
    'stdin: 166 bytes, here as stdin',
    'hold.csv: 41 bytes, not in this pack',
    '  ok  chain: ',
    summaryOf(path('night')).checkpointHead,
  ])
    expect(readme).toContain(words)
  expect(readme).not.toContain('NOT ')
})

test
  .runIf(isThere)
  .concurrent('its README says how to check it with sha256sum and a shell, and that works', async () => {
    const { place, api, run, path, pack } = await scene()
    place.write('stale.csv', csvOf(ids))
    api.script = (call) => (call.index > 2 ? hang : ada(call))
    const running = run('-i stale.csv --concurrency 1')
    await api.arrived(3)
    expectRefusal(await pack(), /night is at work/)
    running.kill('SIGKILL')
    await running.exited
    api.script = ada
    place.write('stale.csv', csvOf([...conversationIds(1, 9), ...ids]))
    await place.run(['resume', 'night', '--yes', '--accept-changed-input'])
    expect(await pack()).toMatchObject({ code: 0 })
    unzip(readFileSync(path('night.zip')), path('pack'))
    writeFileSync(join(path('pack'), 'stale.csv'), readFileSync(path('stale.csv')))

    const { checkpointHead, input } = summaryOf(path('night'))
    const lines = readFileSync(path('night/checkpoint.jsonl'), 'utf8').split('\n').length - 1
    const [sums, chain, totals, files] = typed(path('pack'))
    expect(sums).toBe(
      'README.txt: OK\nrun.json: OK\ncheckpoint.jsonl: OK\nsummary.json: OK\nreport.csv: OK\nreport.html: OK\n',
    )
    expect(chain).toBe(`${lines} lines, head ${checkpointHead}\n`)
    expect(totals).toBe('succeeded 6\nfailed 0\nunknown 0\ninvalid 0\nduplicate 0\nfiltered 1\n')
    expect(files).toBe(`${input[0]!.sha256}  stale.csv\n`)

    const checkpoint = join(path('pack'), 'checkpoint.jsonl')
    writeFileSync(checkpoint, readFileSync(checkpoint, 'utf8').replace('"sent":1,', '"sent":2,'))
    const [changedSums, changedChain] = typed(path('pack'))
    expect(changedSums).toContain('checkpoint.jsonl: FAILED')
    expect(changedChain).toMatch(/^line \d+ does not fit\n/)
  })

test.skipIf(isThere)('sha256sum', () =>
  cannotTestHere('the README of a pack', 'Install coreutils, which has sha256sum.'),
)

test.concurrent('a record that is not right is packed all the same, and that is said', async () => {
  const { place, run, path, pack } = await scene()
  place.write('stale.csv', csvOf(ids))
  await run('-i stale.csv').exited
  writeFileSync(path('night/report.csv'), 'id\n')
  expect(await pack()).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/^NOT report: report\.csv, line 1/),
  })
  unzip(readFileSync(path('night.zip')), path('pack'))
  expect(readFileSync(path('pack/README.txt'), 'utf8')).toContain('  NOT report: report.csv, line 1')
  expectRefusal(await pack('-o', 'stale.csv/night.zip'), /cannot write .*ENOTDIR/)
})
