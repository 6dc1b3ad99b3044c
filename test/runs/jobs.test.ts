import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Item } from '../../src/item.js'
import { jobNames, loadJob } from '../../src/runs/jobs.js'
import { UsageError } from '../../src/system/errors.js'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'ada-bulk-jobs-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

function write(name: string, text: string): string {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

const describeText = 'Ends every conversation of a list of ours.'
const ownJob = `import { defineJob, endConversation } from 'ada-bulk'
export default defineJob({ describe: '${describeText}', operation: endConversation })
`

describe('the jobs that come with the program', () => {
  test('are called like their files', () => {
    const files = readdirSync(new URL('../../jobs', import.meta.url)).map((file) => file.replace(/\.ts$/, ''))
    expect(jobNames()).toEqual(files.sort())
    expect(jobNames()).toContain('end-conversations')
  })

  test('are all jobs', async () => {
    for (const name of jobNames()) {
      expect(await loadJob(name)).toMatchObject({
        name,
        shortName: name,
        job: { describe: expect.stringMatching(/\.$/) },
      })
    }
  })
})

describe('a job of one’s own', () => {
  test.each([
    ['our-job.ts', `const limits: number[] = []\n${ownJob}`],
    ['our-job.mjs', ownJob],
  ])('is loaded from its file, and imports ada-bulk from wherever it lies: %s', async (name, text) => {
    const path = write(name, text)
    const loaded = await loadJob(path)
    expect(loaded).toMatchObject({ name: path, shortName: 'our-job', job: { describe: describeText } })
    expect(loaded.job.operation.name).toBe('end-conversation')
  })

  test.each([
    ['no default export', 'export const job = 7\n'],
    ['something else as its default export', 'export default { describe: "Ends them." }\n'],
    ['an operation without limits', 'export default { describe: "Ends.", operation: { attempt() {} } }\n'],
    ['nothing', ''],
  ])('that has %s is refused, with what to write', async (_, text) => {
    const loading = loadJob(write('half-a-job.ts', text))
    await expect(loading).rejects.toThrow(UsageError)
    await expect(loading).rejects.toThrow(
      /half-a-job\.ts: its default export is not a job\. Write `export default/,
    )
  })

  test.each([
    ['cannot be parsed', 'export default {'],
    ['throws', 'throw new Error("our database is away")\n'],
    ['imports what is not there', 'import "./missing.js"\n'],
  ])('that %s is refused by name', async (_, text) => {
    const path = write('broken-job.ts', text)
    const loading = loadJob(path)
    await expect(loading).rejects.toThrow(UsageError)
    await expect(loading).rejects.toThrow(`${path}: cannot be loaded.`)
  })

  test('that is not there is refused by name', async () => {
    const path = join(directory, 'missing.ts')
    await expect(loadJob(path)).rejects.toThrow(UsageError)
    await expect(loadJob(path)).rejects.toThrow(`${path}: there is no such job file.`)
  })
})

describe('a job of one’s own that was written in a hurry', () => {
  const job = (parts: string) =>
    write(
      `hasty-${number++}.mjs`,
      `import { endConversation } from 'ada-bulk'\nexport default { describe: 'Ends.', operation: endConversation, ${parts} }\n`,
    )
  let number = 0

  test.each([
    ['limits that are none', 'operation: { ...endConversation, limits: [5] }', /operation\.limits\.0/],
    [
      'limits of nothing',
      'operation: { ...endConversation, limits: [{ max: -1, perMs: 0 }] }',
      /limits\.0\.max/,
    ],
    ['no verb', 'operation: { ...endConversation, verb: null }', /operation\.verb/],
    ['flags that are none', 'flags: 5', /flags/],
    ['a flag without a description', 'flags: { region: null }', /flags\.region/],
    ['filters that are none', 'filters: []', /filters: expected a function/],
    ['a getter that throws', 'get operation() { throw new Error("no") }', /is not a job/],
  ])('with %s is refused, with the file and the place', async (_, parts, said) => {
    const path = job(parts)
    const loading = loadJob(path)
    await expect(loading).rejects.toThrow(UsageError)
    await expect(loading).rejects.toThrow(path)
    await expect(loading).rejects.toThrow(said)
  })

  test.each([
    [
      'throws',
      '() => { throw new Error("our database is away") }',
      /its filters cannot be made\. our database/,
    ],
    ['gives no list', '() => 5', /must give a list/],
    ['gives a promise', 'async () => []', /must give a list/],
    ['gives what cannot judge', '() => [null]', /must give a list/],
  ])('whose filters %s is refused', async (_, filters, said) => {
    const loaded = await loadJob(job(`filters: ${filters}`))
    expect(() => loaded.job.filters?.({}, { nowMs: 0 })).toThrow(UsageError)
    expect(() => loaded.job.filters?.({}, { nowMs: 0 })).toThrow(said)
  })

  test.each([
    ['throws', 'throw new Error("no such\\n\\u001b[2Jcolumn")', 'the filter mine: no such column'],
    ['forgets to answer', '', expect.stringContaining('gives neither')],
    ['answers with a word', 'return "no"', expect.stringContaining('gives neither')],
    ['answers with half', 'return { status: "filtered" }', expect.stringContaining('gives neither')],
    [
      'invents a status',
      'return { status: "ok", reason: "x", message: "" }',
      expect.stringContaining('neither'),
    ],
  ])('whose filter %s calls nothing for that item, and says so', async (_, body, message) => {
    const { job: loaded } = await loadJob(job(`filters: () => [{ name: 'mine', judge() { ${body} } }]`))
    const [filter] = loaded.filters!({}, { nowMs: 0 })
    expect(filter!.judge({} as Item)).toEqual({ status: 'invalid', reason: 'bad_row', message })
  })

  test('whose filter has no name works all the same', async () => {
    const { job: loaded } = await loadJob(job('filters: () => [{ judge: () => null }, { judge() {} }]'))
    const [lets, forgets] = loaded.filters!({}, { nowMs: 0 })
    expect(lets!.judge({} as Item)).toBeNull()
    expect(forgets!.judge({} as Item)?.message).toMatch(/^a filter of the job: gives neither/)
  })

  test('that never comes to its end is not waited for without end', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const path = write('waiting-job.mjs', 'await new Promise(() => {})\n')
      const refused = expect(loadJob(path)).rejects.toThrow(
        `${path}: cannot be loaded. It has not come to its end in 60 s`,
      )
      while (vi.getTimerCount() === 0) await new Promise((resolve) => setImmediate(resolve))
      await vi.advanceTimersByTimeAsync(60_000)
      await refused
    } finally {
      vi.useRealTimers()
    }
  })

  test('that is a directory, or a device, is refused', async () => {
    for (const path of [directory, '/dev/zero'])
      await expect(loadJob(path)).rejects.toThrow(`${path}: is no file, and a job is one.`)
  })

  test('that throws what cannot be put into words is refused all the same', async () => {
    const path = write('wordless-job.mjs', 'throw { toString() { throw 1 } }\n')
    await expect(loadJob(path)).rejects.toThrow(UsageError)
  })
})

describe('a name that no job has', () => {
  test.each([
    ['end-conversation', true],
    ['end_conversations', true],
    ['End-Conversations', true],
    ['end-conversatoins', true],
    ['delete-everything', false],
    ['', false],
  ])('%j has a suggestion: %s', async (name, hasSuggestion) => {
    const loading = loadJob(name)
    await expect(loading).rejects.toThrow(UsageError)
    await expect(loading).rejects.toThrow(`There are: ${jobNames().join(', ')}.`)
    const suggested = await loading.catch(({ message }) =>
      message.includes('(did you mean end-conversations?)'),
    )
    expect(suggested).toBe(hasSuggestion)
  })

  test('is not looked for outside the folder of jobs', async () => {
    for (const name of ['constructor', '__proto__', 'job', 'index']) {
      await expect(loadJob(name)).rejects.toThrow(`no job called ${name}`)
    }
  })
})

test('a job file with a key that no job has is refused, as a mistyped filter would let everything through', async () => {
  const operation = "{ name: 'end', verb: 'end', noun: 'conversation', limits: [], attempt() {} }"
  const path = write(
    'french.mjs',
    `export default { describe: 'Ends the French.', operation: ${operation}, filter: () => [] }\n`,
  )
  await expect(loadJob(path)).rejects.toThrow(/a job has no filter\. It may have .*filters/)
})
