import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { startFakeApi } from './fake-api.js'
import { conversationIds, csvOf, expectRefusal, openPlace } from './harness.js'

test.concurrent('prune lists first, asks or is told --yes, and removes what is finished', async () => {
  const place = openPlace()
  const api = await startFakeApi()
  expect(await place.run(['prune', '--older-than', '400d', '--yes'])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^No run in .* is older than 400d\.\n$/),
  })
  place.write('stale.csv', csvOf(conversationIds(2)))
  const run = `run end-conversations -i stale.csv --base-url ${api.url} --yes --api-limit none --quiet`
  await place.run(`${run} --run-dir runs/done`.split(' '))
  await place.run(`${run} --run-dir runs/stopped --max-items 1`.split(' '))
  const state = readdirSync(place.state)

  expect(await place.run('prune --older-than 400d --yes'.split(' '))).toMatchObject({ code: 0 })
  expectRefusal(
    await place.run('prune --older-than 1ms'.split(' ')),
    /no terminal to ask on.*--dry-run.*--yes/,
  )
  expectRefusal(await place.run(['prune', '--yes']), /older-than/)
  expectRefusal(
    await place.run('prune --older-than soon --yes'.split(' ')),
    /--older-than soon: not a span of time/,
  )
  const dry = await place.run('prune --older-than 1ms --dry-run'.split(' '))
  expect(dry).toMatchObject({ code: 0, stderr: '' })
  expect(dry.stdout).toMatch(/^remove {2}done {2}finished \d{4}-\d\d-\d\d {2}\d+ KB\n/)
  expect(dry.stdout).toMatch(/^keep {4}stopped .*: it is not finished/m)
  expect(dry.stdout).toMatch(/^1 run of 2 to remove, \d+ KB\.$/m)
  expect(readdirSync(place.runs).sort()).toEqual(['done', 'stopped'])

  const removed = await place.run('prune --older-than 1ms --yes --json'.split(' '))
  expect(JSON.parse(removed.stdout)).toMatchObject({
    runs: [{ run: 'done' }, { run: 'stopped' }],
    removed: ['done'],
  })
  expect(readdirSync(place.runs)).toEqual(['stopped'])
  expect(readdirSync(place.state), 'locks, ledger and memories stay').toEqual(state)
  expect(await place.run(['resume', '--yes', '--quiet'])).toMatchObject({ code: 0 })
})
