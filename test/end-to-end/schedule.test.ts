import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Cron } from 'croner'
import { expect, test } from 'vitest'
import { commandOfCron } from '../commands/schedule/cron-reading.js'
import { startFakeApi } from './fake-api.js'
import { cliPath, conversationIds, csvOf, key, openPlace, reportOf } from './harness.js'

/** Starts the last line of a crontab as cron does, where nobody has set anything. */
async function startLine(crontab: string): Promise<{ code: number; said: string }> {
  const line = crontab.trimEnd().split('\n').at(-1)!
  expect(new Cron(line.split(' ').slice(0, 5).join(' '), { paused: true }).nextRun()).not.toBeNull()
  return new Promise((resolve) => {
    const words = ['-i', '/bin/sh', '-c', commandOfCron(line)]
    execFile('/usr/bin/env', words, { cwd: '/' }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), said: stdout + stderr }),
    )
  })
}

test.concurrent('a line for crontab runs as it is printed, whatever the input is called', async () => {
  const place = openPlace()
  const ids = conversationIds(3)
  const name = `it's "100 %" \\% of $HOME.csv`
  place.write(name, csvOf(ids))
  const printed = await place.run(['schedule', 'end-conversations', '-i', name, '--sandbox', '--at', '22:30'])
  expect(printed).toMatchObject({ code: 0, stdout: expect.stringMatching(/^30 22 \* \* \* /m) })
  expect(readdirSync(place.directory)).not.toContain('runs')
  expect(await startLine(printed.stdout)).toEqual({ code: 0, said: '' })
  expect(reportOf(place.onlyRun()).map(({ id, status, source }) => [id, status, source])).toEqual(
    ids.map((id) => [id, 'succeeded', join(place.directory, name)]),
  )
})

test.concurrent('the same line resumes what was stopped, and has its key from a file', async () => {
  const place = openPlace()
  const api = await startFakeApi()
  place.write('stale.csv', csvOf(conversationIds(3)))
  place.write('our.env', `ADA_API_KEY=${key}\nADA_BASE_URL=${api.url}\n`)
  const words =
    'schedule end-conversations -i stale.csv --env-file our.env --api-limit none --max-items 2'.split(' ')
  // Node 20 would take --env-file for its own.
  const { stdout } = await place.run(words, {
    environment: { ADA_API_KEY: undefined },
    through: ([node, ...command]) => [node!, '--', ...command],
  })
  expect(stdout).not.toContain(key)
  expect(await startLine(stdout)).toEqual({
    code: 75,
    said: expect.stringMatching(/^ada-bulk: \S+ stopped: --max-items 2 reached \(exit code 75\)\.\n$/),
  })
  expect(await startLine(stdout)).toEqual({ code: 0, said: '' })
  expect(reportOf(place.onlyRun()).map(({ status }) => status)).toEqual([
    'succeeded',
    'succeeded',
    'succeeded',
  ])
  expect(api.calls).toHaveLength(3)
})

test.concurrent('what did not end well is said, as cron mails what is said and nothing else', async () => {
  const place = openPlace()
  const { stdout } = await place.run('schedule end-conversations -i stale.csv --sandbox'.split(' '))
  expect(await startLine(stdout)).toEqual({
    code: 2,
    said: expect.stringContaining('ada-bulk-end-conversations ended with exit code 2'),
  })
  place.write('stale.csv', csvOf(['66f2a91c4be07d3f5c1e0404']))
  expect(await startLine(stdout)).toEqual({
    code: 3,
    said: expect.stringMatching(
      /^ada-bulk-end-conversations ended with exit code 3\nada-bulk: \S+ finished with 1 failed \(exit code 3\)\.\n$/,
    ),
  })
})

test.concurrent('the program is named as it is on the PATH, if it is the same', async () => {
  const place = openPlace()
  const [other, same] = ['other', 'same'].map((name) => join(place.directory, name))
  mkdirSync(other!)
  mkdirSync(same!)
  writeFileSync(join(other!, 'ada-bulk'), 'another program')
  symlinkSync(cliPath, join(same!, 'ada-bulk'))
  const printed = await place.run(['schedule', 'cleanup', '--sandbox'], {
    environment: { PATH: `${other}:${same}:${process.env.PATH}` },
  })
  expect(printed.stdout).toContain(` -- ${same}/ada-bulk run cleanup `)
})
