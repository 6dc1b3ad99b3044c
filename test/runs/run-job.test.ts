import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defineJob, endConversation, type RunJobOptions, runJob, UsageError } from '../../src/index.js'
import { sandboxKey } from '../../src/sandbox/options.js'
import { type Sandbox, startSandbox } from '../sandbox/sandboxes.js'

let directory: string
let sandbox: Sandbox

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'ada-bulk-run-job-'))
  sandbox = await startSandbox({ limits: 'none' })
})
afterEach(async () => {
  await sandbox.close()
  rmSync(directory, { recursive: true, force: true })
})

const ids = Array.from({ length: 6 }, (_, number) =>
  `66f2a91c4be07d3f5c1e000${number}`.replace('0000', '1111'),
)
const job = defineJob({ describe: 'Ends every conversation of a list.', operation: endConversation })

function options(more: Partial<RunJobOptions> = {}): RunJobOptions {
  const input = join(directory, 'stale.csv')
  writeFileSync(input, `conversation_id\n${ids.join('\n')}\n`)
  return {
    job,
    name: 'close-all',
    input: [input],
    baseUrl: sandbox.url,
    key: sandboxKey,
    directory: join(directory, 'run'),
    stateDirectory: join(directory, 'state'),
    settings: { limits: 'none' },
    ...more,
  }
}

test('a program runs a job and gets the summary that the command line would print', async () => {
  const summary = await runJob(options())
  expect(summary).toMatchObject({
    job: 'close-all',
    exitCode: 0,
    stoppedBecause: null,
    totals: { read: 6, succeeded: 6 },
  })
  expect(ids.every((id) => sandbox.state.isEnded(id))).toBe(true)
  expect(
    readFileSync(join(directory, 'run', 'report.csv'), 'utf8')
      .trim()
      .split('\n'),
  ).toHaveLength(7)
})

test('called again over the same directory, it goes on where it stopped', async () => {
  const first = await runJob(options({ maxItems: 2 }))
  expect(first).toMatchObject({ exitCode: 75, totals: { succeeded: 2, left: 4 } })
  const second = await runJob(options())
  expect(second).toMatchObject({ exitCode: 0, totals: { succeeded: 6, left: 0 } })
  expect(ids.map((id) => sandbox.state.timesCalled(id))).toEqual([1, 1, 1, 1, 1, 1])
})

test('a directory that holds a run on another instance is refused, and neither is called', async () => {
  await runJob(options({ maxItems: 2 }))
  const other = await startSandbox({ limits: 'none' })
  try {
    await expect(runJob(options({ baseUrl: other.url }))).rejects.toThrow(/holds a run on http:/)
    expect(other.state.arrived).toBe(0)
    expect(sandbox.state.arrived).toBe(2)
  } finally {
    await other.close()
  }
})

test('a signal that is aborted already stops it before the first call, and it can be resumed', async () => {
  const summary = await runJob(options({ signal: AbortSignal.abort() }))
  expect(summary).toMatchObject({ exitCode: 75, totals: { left: 6 } })
  expect(sandbox.state.arrived).toBe(0)
})

test('an input that cannot be used is a UsageError, and nothing is sent', async () => {
  const input = [join(directory, 'gone.csv')]
  await expect(runJob(options({ input }))).rejects.toThrow(UsageError)
  expect(sandbox.state.arrived).toBe(0)
  expect(existsSync(join(directory, 'run', 'run.json'))).toBe(false)
})
