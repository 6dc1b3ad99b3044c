import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startFakeApi } from './fake-api.js'
import { conversationIds, csvOf, expectRefusal, openPlace, summaryOf } from './harness.js'

const typeScript = `
import { defineJob, endConversation, type Filter } from 'ada-bulk'

enum Channel { Voice = 'voice' }

/** Lets only one channel through. */
const onlyOn = (channel: string | undefined): Filter => ({
  judge: (item) =>
    item.record().channel === channel
      ? null
      : { status: 'filtered', reason: 'other_channel', message: '' },
})

export default defineJob({
  describe: 'Ends the conversations of one channel.',
  operation: endConversation,
  flags: {
    channel: { describe: 'The channel', default: Channel.Voice },
    ticket: { describe: 'Who asked for it', isRequired: true },
  },
  filters: ({ channel }) => [onlyOn(channel)],
})
`

const javaScript = `
import { defineJob, endConversation } from 'ada-bulk'
export default defineJob({ describe: 'Ends conversations.', operation: endConversation })
`

const [voice, chat] = conversationIds(2) as [string, string]
const table = `conversation_id,channel\n${voice},voice\n${chat},web_chat\n`

test.concurrent('a TypeScript job file runs with flags and filters of its own, and is resumed with them', async () => {
  const place = openPlace()
  place.write('my-job.ts', typeScript)
  place.write(
    'all.csv',
    table +
      conversationIds(3, 1)
        .map((id) => `${id},sms\n`)
        .join(''),
  )
  const api = await startFakeApi()
  const run = `run ./my-job.ts -i all.csv --base-url ${api.url} --yes --api-limit none`.split(' ')
  expectRefusal(await place.run(run), '--ticket is needed')
  expectRefusal(await place.run([...run, '--ticket', '7', '--chanel', 'sms']), 'chanel')
  const help = await place.run(['run', './my-job.ts', '--help'])
  expect(help).toMatchObject({ code: 0, stdout: expect.stringMatching(/--channel +The channel \(voice\)/) })
  expect(api.calls).toEqual([])

  expect(await place.run([...run, '--ticket', '7', '--channel', 'sms', '--max-items', '1'])).toMatchObject({
    code: 75,
  })
  expect(await place.run(['resume', '--yes'])).toMatchObject({ code: 0 })
  expect(api.calls.map(({ id }) => id)).toEqual(conversationIds(3, 1))
  expect(summaryOf(place.onlyRun())).toMatchObject({
    job: expect.stringContaining('my-job'),
    totals: { succeeded: 3, filtered: 2 },
    reasons: { other_channel: 2 },
  })
})

test.concurrent.for([
  { file: 'my-job.js', text: javaScript },
  { file: 'my-job.mjs', text: javaScript },
  {
    file: 'my-job.cjs',
    text: `const { defineJob, endConversation } = require('ada-bulk')\nmodule.exports = defineJob({ describe: 'x', operation: endConversation })`,
  },
])('a job file $file runs from a directory that is no package', async ({ file, text }) => {
  const place = openPlace()
  place.write(file, text)
  place.write('all.csv', table)
  const api = await startFakeApi()
  const run = `run ./${file} -i all.csv --base-url ${api.url} --yes --api-limit none`
  expect(await place.run(run.split(' '))).toMatchObject({ code: 0 })
  expect(api.ended).toEqual(new Set([voice, chat]))
})

test.concurrent('a job file runs from another directory, by a path, inside a package', async () => {
  const place = openPlace()
  mkdirSync(join(place.directory, 'ops', 'tonight'), { recursive: true })
  place.write('ops/package.json', '{"name":"ops"}')
  place.write('ops/tonight/my-job.js', javaScript)
  place.write('all.csv', table)
  const api = await startFakeApi()
  const run = `run ops/tonight/my-job.js -i all.csv --base-url ${api.url} --yes --api-limit none`
  expect(await place.run(run.split(' '))).toMatchObject({ code: 0 })
  expect(api.calls).toHaveLength(2)
})

test.concurrent.for([
  { what: 'with a syntax error', text: 'export default defineJob({', says: 'cannot be loaded' },
  { what: 'that throws', text: `throw new Error('no weather today')`, says: 'no weather today' },
  { what: 'that imports what is not there', text: `import 'not-there'`, says: 'not-there' },
  { what: 'without a default export', text: 'export const job = 1', says: 'default export is not a job' },
  { what: 'that is empty', text: '', says: 'default export is not a job' },
  { what: 'whose job has no operation', text: `export default { describe: 'x' }`, says: 'not a job' },
  { what: 'that is not there', text: null, says: 'no such job file' },
])('a job file $what is one sentence, and nothing is sent', async ({ text, says }) => {
  const place = openPlace()
  if (text !== null) place.write('broken.ts', text)
  place.write('all.csv', table)
  const api = await startFakeApi()
  const run = await place.run(`run ./broken.ts -i all.csv --base-url ${api.url} --yes`.split(' '))
  expectRefusal(run, 'broken.ts', says)
  expect(run.stderr.trim().split('\n')).toHaveLength(1)
  expect(api.calls).toEqual([])
})

test.concurrent('an operation with a bug in it is a bug: exit 1, its stack, and nothing is forgotten', async () => {
  const place = openPlace()
  const broken = (fails: boolean) => `
    import { defineJob, endConversation } from 'ada-bulk'
    export default defineJob({ describe: 'x', operation: { ...endConversation, attempt(item, api, attempt) {
      if (${fails} && item.id === '${chat}') throw new TypeError('a slip of the pen')
      return endConversation.attempt(item, api, attempt)
    } } })`
  place.write('slip.js', broken(true))
  place.write('all.csv', csvOf([voice, chat, ...conversationIds(20, 2)]))
  const api = await startFakeApi()
  const run = `run ./slip.js -i all.csv --base-url ${api.url} --yes --api-limit none --concurrency 1`
  expect(await place.run(run.split(' '))).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/a slip of the pen(.*\n)+ {4}at /),
  })
  place.write('slip.js', broken(false))
  expect(await place.run(['resume', '--yes'])).toMatchObject({ code: 0 })
  expect(summaryOf(place.onlyRun()).totals).toMatchObject({ read: 22, succeeded: 22 })
  expect(api.ended.size).toBe(22)
})

test.concurrent("a job's own flags are known wherever the job stands among the words", async () => {
  const place = openPlace()
  place.write('stale.csv', 'conversation_id,date_updated\n66f2a91c4be07d3f5c1e0001,2026-01-01T00:00:00\n')
  const words = 'plan -i stale.csv --share 50% close-stale --idle 14d --json'.split(' ')
  const { code, stdout } = await place.run(words)
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ job: 'close-stale', calls: 1 })
})
