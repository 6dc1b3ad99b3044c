import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ended, startFakeApi } from './fake-api.js'
import { conversationIds, csvOf, expectRefusal, openPlace } from './harness.js'

async function scene() {
  const place = openPlace()
  place.write('stale.csv', csvOf(conversationIds(200)))
  const api = await startFakeApi(() => ended)
  const words = `run end-conversations -i stale.csv --base-url ${api.url} --yes`.split(' ')
  return { place, api, words }
}

test.for<[string, (run: string) => void]>([
  ['a checkpoint that is removed', (run) => rmSync(join(run, 'checkpoint.jsonl'))],
  [
    'a checkpoint that is replaced',
    (run) => {
      const path = join(run, 'checkpoint.jsonl')
      writeFileSync(`${path}.other`, readFileSync(path))
      renameSync(`${path}.other`, path)
    },
  ],
  ['a directory that is renamed', (run) => renameSync(run, `${run}-moved`)],
  ['a directory that is removed', (run) => rmSync(run, { recursive: true })],
])('%s while the run is at work stops it, and what was done is kept', async ([, remove]) => {
  const { place, api, words } = await scene()
  const running = place.start([...words, '--limit', '10/s', '--quiet'])
  await api.arrived(3)
  remove(place.onlyRun())
  const { code, stderr } = await running.exited
  expect(code).toBe(4)
  expect(stderr).toMatch(/checkpoint\.jsonl was removed, renamed or replaced while the run was at work/)
  const [, kept] = /what was done is kept in (\S+):/.exec(stderr)!
  const settled = readFileSync(kept!, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{"n":'))
  expect(settled).toHaveLength(api.calls.length)
  expect(api.calls.length).toBeLessThan(100)
})

test.concurrent('a run begins in no directory that holds something else, or that others can write', async () => {
  const { place, api, words } = await scene()
  const made = (name: string) => {
    mkdirSync(join(place.directory, name), { mode: 0o700 })
    return join(place.directory, name)
  }
  const foreign = made('foreign')
  writeFileSync(join(foreign, 'notes.txt'), 'mine')
  const linked = made('linked')
  symlinkSync('/etc/hostname', join(linked, 'run.log'))
  const open = made('open')
  chmodSync(open, 0o777)
  for (const [directory, why] of [
    ['', /needs a directory that holds nothing else/],
    ['.', /needs a directory that holds nothing else/],
    [foreign, /holds files that no run makes \(notes\.txt\)/],
    [linked, /holds a symbolic link/],
    [open, /can be written by other users/],
  ] as const)
    expectRefusal(await place.run([...words, '--run-dir', directory]), why)
  expect(api.calls).toHaveLength(0)
  expect(existsSync(join(place.directory, 'checkpoint.jsonl'))).toBe(false)
  expect(readFileSync(join(foreign, 'notes.txt'), 'utf8')).toBe('mine')
})

test.concurrent('prune leaves the files of others where they are, and says so', async () => {
  const { place, words } = await scene()
  expect(await place.run([...words, '--api-limit', 'none', '--max-items', '1', '--quiet'])).toMatchObject({
    code: 75,
  })
  const run = place.onlyRun()
  writeFileSync(join(run, 'notes.txt'), 'mine')
  await new Promise((resolve) => setTimeout(resolve, 1100))
  const pruned = await place.run(['prune', '--older-than', '1s', '--unfinished', '--yes'])
  expect(pruned).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('1 file of others stay in it (notes.txt)'),
  })
  expect(readFileSync(join(run, 'notes.txt'), 'utf8')).toBe('mine')
  expect(existsSync(join(run, 'run.json'))).toBe(false)
})

test.concurrent('a quiet run says in one line why it needs a person', async () => {
  const { place, words } = await scene()
  const { code, stdout, stderr } = await place.run([
    ...words,
    '--api-limit',
    'none',
    '--max-items',
    '1',
    '--quiet',
  ])
  expect({ code, stdout }).toEqual({ code: 75, stdout: '' })
  expect(stderr).toMatch(
    /^ada-bulk: end-conversations-\S+ stopped: --max-items 1 reached \(exit code 75\)\.\n$/,
  )
})

test.concurrent('under nohup the terminal may go away', async () => {
  const { place, api, words } = await scene()
  const running = place.start([...words, '--limit', '20/s', '--max-items', '30'], {
    through: (command) => [
      'bash',
      '-c',
      'nohup "$0" "$@" & p=$!; trap "kill -HUP $p" USR1; while ! wait $p; do [ $? -gt 128 ] || break; done; wait $p',
      ...command,
    ],
  })
  await api.arrived(5)
  running.kill('SIGUSR1')
  expect(await running.exited).toMatchObject({ code: 75 })
  expect(api.calls.length).toBe(30)
})
