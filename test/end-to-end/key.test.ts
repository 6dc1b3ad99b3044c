import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  ada,
  hang,
  json,
  notFound,
  resetBefore,
  startFakeApi,
  unauthorized,
  unavailable,
} from './fake-api.js'
import { conversationIds, csvOf, type Ended, openPlace, type Place } from './harness.js'

const secret = 'sk-ada-7Qx93ZpLm4TtV0wB'
const environment = { ADA_API_KEY: secret }

/** Every file below a directory. */
function filesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile())
}

/** Neither in what was said nor in any file, plain or as it stands in a header's base64. */
function expectNoKey(place: Place, ...ended: Ended[]): void {
  const encoded = Buffer.from(secret).toString('base64').slice(0, 20)
  const texts: [where: string, text: string][] = [
    ...ended.flatMap(({ stdout, stderr }): [string, string][] => [
      ['stdout', stdout],
      ['stderr', stderr],
    ]),
    ...filesOf(place.directory).map((path): [string, string] => [path, readFileSync(path, 'latin1')]),
  ]
  expect(texts.length).toBeGreaterThan(2)
  for (const [where, text] of texts) {
    expect(text.includes(secret) || text.includes(encoded), `the key is in ${where}`).toBe(false)
  }
}

async function scene() {
  const place = openPlace()
  place.write('stale.csv', csvOf(conversationIds(12)))
  const api = await startFakeApi(ada, secret)
  const args =
    `run end-conversations -i stale.csv --base-url ${api.url} --yes --api-limit none --log-level trace --attempts 2`.split(
      ' ',
    )
  return { place, api, args }
}

test.concurrent('the key is nowhere after success, failures, lost answers, a retry and reports', async () => {
  const { place, api, args } = await scene()
  const answers = [notFound, resetBefore, unavailable]
  api.script = (call) => answers[call.index % 7] ?? ada(call)
  const ended = [await place.run(args, { environment })]
  expect(ended[0]).toMatchObject({ code: 3 })
  api.script = ada
  const run = place.onlyRun()
  for (const command of [
    ['retry', run, '--yes', '--log-level', 'trace', '--run-dir', 'again'],
    ['status', run, '--json'],
    ['report', run, '--format', 'jsonl'],
    ['plan', ...args.slice(1)],
    ['doctor', '--base-url', api.url, '--json'],
  ]) {
    ended.push(await place.run(command, { environment }))
  }
  expect(ended.map(({ code }) => code)).toEqual([3, 0, 0, 0, 0, 0])
  expectNoKey(place, ...ended)
})

test.concurrent('nor after a 401, and nor when a wrong key is the trouble', async () => {
  const { place, api, args } = await scene()
  api.script = (call) => {
    if (call.index !== 3) return ada(call)
    api.key = 'another'
    return unauthorized
  }
  const ended = [await place.run(args, { environment })]
  ended.push(
    await place.run(['resume', '--yes', '--log-level', 'trace'], {
      environment: { ADA_API_KEY: `${secret}x` },
    }),
  )
  ended.push(
    await place.run(['doctor', '--base-url', api.url], { environment: { ADA_API_KEY: `${secret}x` } }),
  )
  ended.push(await place.run(args, { environment: { ADA_API_KEY: `${secret} ${secret}` } }))
  expect(ended.map(({ code }) => code)).toEqual([4, 4, 3, 2])
  expectNoKey(place, ...ended)
})

test.concurrent('nor after a crash, nor in the list of processes', async () => {
  const { place, api, args } = await scene()
  api.script = (call) => (call.index > 4 ? hang : ada(call))
  const running = place.start(args, { environment })
  await api.arrived(6)
  if (process.platform === 'linux') {
    expect(readFileSync(`/proc/${running.pid}/cmdline`, 'utf8')).toContain('end-conversations')
    expect(readFileSync(`/proc/${running.pid}/cmdline`, 'utf8')).not.toContain(secret)
  }
  running.kill('SIGKILL')
  expectNoKey(place, await running.exited)
})

test.concurrent('nor after a bug: a job file that throws at once, and one that throws at work', async () => {
  const { place, args } = await scene()
  place.write('throws.js', `throw Object.assign(new Error('broken'), { all: 1 })`)
  place.write(
    'slips.js',
    `import { defineJob, endConversation } from 'ada-bulk'
    export default defineJob({ describe: 'x', operation: { ...endConversation, attempt(item, api, attempt) {
      throw Object.assign(new TypeError('a slip'), { api, attempt })
    } } })`,
  )
  const [, , ...flags] = args
  const ended = [
    await place.run(['run', './throws.js', ...flags], { environment }),
    await place.run(['run', './slips.js', ...flags], { environment }),
  ]
  expect(ended.map(({ code }) => code)).toEqual([2, 1])
  expectNoKey(place, ...ended)
})

test.concurrent('nor from a key file', async () => {
  const { place, args } = await scene()
  const outside = openPlace()
  const file = outside.write('key', `${secret}\n`)
  const ended = await place.run([...args, '--api-key-file', file], {
    environment: { ADA_API_KEY: undefined },
  })
  expect(ended).toMatchObject({ code: 0 })
  expectNoKey(place, ended)
})

test.concurrent('nor when the API repeats it in its message', async () => {
  const { place, api, args } = await scene()
  api.script = () =>
    json(422, { errors: [{ type: 'x', message: `bad header: Bearer ${secret}`, details: null }] })
  const ended = await place.run([...args, '--max-failures', '100%'], { environment })
  expect(ended).toMatchObject({ code: 3 })
  expectNoKey(place, ended)
})

test.concurrent('nor when it was typed where something else belongs', async () => {
  const { place, args } = await scene()
  const [run, job, ...flags] = args.filter((word) => !/^(--base-url|http:)/.test(word))
  const key = { ADA_API_KEY: undefined }
  place.write('variables', `ADA_API_KEY=${secret}\n`)
  const outside = openPlace()
  const typed: [words: string[], says: RegExp, environment?: Record<string, string | undefined>][] = [
    [['doctor', '--handle', 'acme', '--api-key-file', secret], /--api-key-file.*could be a key/],
    [['doctor', '--base-url', secret], /--base-url.*could be a key/],
    [['doctor'], /ADA_BASE_URL.*could be a key/, { ADA_BASE_URL: secret }],
    [['doctor', '--base-url', `https://${secret.replaceAll('-', '')}`], /--base-url.*could be a key/],
    [['doctor', '--base-url', `https://acme.ada.support/${secret}`], /--base-url.*a path that is not Ada's/],
    [['doctor', '--handle', `${secret}=`], /--handle.*could be a key/],
    [['doctor', '--handle', 'acme', '--region', `${secret}=`], /--region.*could be a key/],
    [['doctor', secret], /A word too many/],
    [[secret], /No command/],
    [[run!, secret, ...flags], /no job/],
    [['doctor', '--api-limit', secret], /Unknown flag/],
    // Whatever is said of it, where it is known to be the key.
    [[run!, job!, ...flags, '--sandbox', '--hold', secret], /is not there|no such file/, environment],
  ]
  for (const [words, says, variables = key] of typed) {
    const ended = await outside.run(words, { environment: { ...key, ...variables } })
    expect([2, 3], words.join(' ')).toContain(ended.code)
    expect(ended.stdout + ended.stderr).toMatch(says)
    expect((ended.stdout + ended.stderr).toLowerCase()).not.toContain(secret.toLowerCase())
  }
  const file = await place.run(['doctor', '--handle', 'acme', '--api-key-file', 'variables'], {
    environment: key,
  })
  expect(file).toMatchObject({ code: 3, stdout: expect.stringMatching(/NAME=value.*--env-file/) })
  expect(file.stdout).not.toContain(secret)
})
