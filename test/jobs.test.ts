import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { jobNames, loadJob } from '../src/jobs.js'
import { UsageError } from '../src/usage-error.js'

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
    const files = readdirSync(new URL('../jobs', import.meta.url)).map((file) => file.replace(/\.ts$/, ''))
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
