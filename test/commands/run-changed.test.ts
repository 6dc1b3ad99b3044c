import { appendFileSync, existsSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openDesk, startEndingApi } from './in-process.js'

test('what a person agreed to is not called if it has changed by the time they answer', async () => {
  const desk = openDesk()
  const api = await startEndingApi()
  const input = desk.write('stale.csv', 'conversation_id\n66f2a91c4be07d3f5c1e0001\n')
  desk.answers.push(() => {
    appendFileSync(input, '66f2a91c4be07d3f5c1e0002\n')
    return '1'
  })
  const said = await desk.type('run', 'end-conversations', '--input', input, '--base-url', api.url)
  expect(said.code).toBe(2)
  expect(said.stderr).toContain(
    'stale.csv has changed since it was counted. Nothing was called: start again, and look at the new counts.',
  )
  expect(api.ended).toEqual([])
  expect(existsSync(desk.path('runs')) ? readdirSync(desk.path('runs')) : []).toEqual([])
})
