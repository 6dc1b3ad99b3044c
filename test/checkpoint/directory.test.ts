import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  findRun,
  listRuns,
  newRunDirectory,
  newRunName,
  readRunFile,
  readSummary,
  runDirectory,
  writeRunFile,
} from '../../src/checkpoint/directory.js'
import { type RunFile, runFileSchema } from '../../src/checkpoint/run-file.js'
import { endConversation } from '../../src/operations/end-conversation.js'
import { csvReport } from '../../src/reports/csv.js'
import { writeReportFile } from '../../src/reports/report.js'
import { newSettings } from '../../src/settings/run-settings.js'
import { UsageError } from '../../src/system/errors.js'
import { runOf } from '../reports/reported.js'

let runs: string
beforeEach(() => {
  runs = mkdtempSync(join(tmpdir(), 'ada-bulk-runs-'))
})
afterEach(() => rmSync(runs, { recursive: true }))

const runFile: RunFile = runFileSchema.parse({
  version: 1,
  run: 'end-conversations-2026-11-22T09-00-00',
  job: 'end-conversations',
  jobFlags: {},
  instance: 'https://acme.ada.support',
  isSandbox: false,
  isParallel: false,
  settings: newSettings({}, { operation: endConversation }),
  input: [{ name: 'conversations.csv', path: '/in/conversations.csv', sha256: 'ab12', bytes: 7 }],
  hold: [],
  plan: { read: 2, calls: 2 },
  live: null,
  retryOf: null,
  adaBulk: '0.1.0',
  node: 'v20.20.2',
  startedAt: '2026-11-22T09:00:00.000Z',
  by: 'kim',
  host: 'ops',
})

function makeRun(name: string, startedAt = runFile.startedAt): string {
  const path = join(runs, name)
  mkdirSync(path)
  writeRunFile(runDirectory(path), { ...runFile, run: name, startedAt })
  return path
}

describe('the name of a run', () => {
  const at = new Date('2026-11-22T15:04:05.678Z')

  test('tells the job and the time, fit for every file system', () => {
    expect(newRunName('end-conversations', at, () => false)).toBe('end-conversations-2026-11-22T15-04-05')
  })

  test('that is taken is numbered', () => {
    const taken = new Set(['job-2026-11-22T15-04-05', 'job-2026-11-22T15-04-05-2'])
    expect(newRunName('job', at, (name) => taken.has(name))).toBe('job-2026-11-22T15-04-05-3')
  })

  test('is that of its directory, however that was given', () => {
    expect(runDirectory(join(runs, 'monday', '.', '..', 'monday/')).name).toBe('monday')
    expect(runDirectory(join(runs, 'monday')).checkpoint).toBe(join(runs, 'monday', 'checkpoint.jsonl'))
  })
})

test('a new run may lie in an empty directory, not in one of another run', () => {
  const path = join(runs, 'monday')
  expect(newRunDirectory(path).path).toBe(path)
  makeRun('monday')
  expect(() => newRunDirectory(path)).toThrow(UsageError)
  expect(() => newRunDirectory(path)).toThrow(
    `${path} holds a run already. Resume it with \`ada-bulk resume ${path}\``,
  )
})

describe('run.json', () => {
  test('comes back as it was written, for its owner only, with nothing left beside it', () => {
    const directory = runDirectory(makeRun('monday'))
    expect(readRunFile(directory)).toEqual({ ...runFile, run: 'monday' })
    expect(statSync(directory.runFile).mode & 0o777).toBe(0o600)
    expect(readdirSync(directory.path)).toEqual(['run.json'])
  })

  test('that is missing says that this is no run', () => {
    const reading = () => readRunFile(runDirectory(runs))
    expect(reading).toThrow(UsageError)
    expect(reading).toThrow(`${runs} is not a run's directory: it has no run.json.`)
  })

  test.each([
    ['is half a file', '{"version":1,', 'cannot read'],
    ['is of another version', JSON.stringify({ ...runFile, version: 2 }), 'is damaged'],
    ['lacks something', JSON.stringify({ ...runFile, instance: undefined }), 'is damaged'],
    ['is something else', '[]', 'is damaged'],
  ])('that %s is refused by name', (_, text, problem) => {
    const directory = runDirectory(makeRun('monday'))
    writeFileSync(directory.runFile, text)
    expect(() => readRunFile(directory)).toThrow(UsageError)
    expect(() => readRunFile(directory)).toThrow(directory.runFile)
    expect(() => readRunFile(directory)).toThrow(problem)
  })
})

test('a summary that is not there or not whole is none', () => {
  const directory = runDirectory(makeRun('monday'))
  expect(readSummary(directory)).toBeNull()
  writeFileSync(directory.summary, '{"run":')
  expect(readSummary(directory)).toBeNull()
})

describe('the list of runs', () => {
  test('has the latest first, and no other directories', () => {
    makeRun('b-second', '2026-11-21T00:00:00.000Z')
    makeRun('a-first', '2026-11-20T00:00:00.000Z')
    makeRun('a-third', '2026-11-22T00:00:00.000Z')
    mkdirSync(join(runs, 'photos'))
    writeFileSync(join(runs, 'notes.txt'), '')
    expect(listRuns(runs).map(({ name }) => name)).toEqual(['a-third', 'b-second', 'a-first'])
  })

  test('has runs whose run.json is damaged last, instead of failing', () => {
    makeRun('whole')
    writeFileSync(runDirectory(makeRun('damaged')).runFile, '{')
    expect(listRuns(runs).map(({ name }) => name)).toEqual(['whole', 'damaged'])
  })

  test('is empty where there is nothing', () => {
    expect(listRuns(join(runs, 'missing'))).toEqual([])
  })
})

describe('a run', () => {
  test('is found by its name and by its directory', () => {
    const path = makeRun('monday')
    expect(findRun(runs, 'monday').path).toBe(path)
    expect(findRun(join(runs, 'elsewhere'), path).path).toBe(path)
  })

  test('that began last is found as the latest, unless one is called so', () => {
    makeRun('monday', '2026-11-02T00:00:00.000Z')
    const tuesday = makeRun('tuesday', '2026-11-03T00:00:00.000Z')
    expect(findRun(runs, 'latest').path).toBe(tuesday)
    const called = makeRun('latest', '2026-11-01T00:00:00.000Z')
    expect(findRun(runs, 'latest').path).toBe(called)
  })

  test('that is not found is answered with the latest five', () => {
    for (let day = 1; day <= 7; day++) makeRun(`run-${day}`, `2026-11-0${day}T00:00:00.000Z`)
    expect(() => findRun(runs, 'monday')).toThrow(UsageError)
    expect(() => findRun(runs, 'monday')).toThrow(
      'no run called monday: the latest are run-7, run-6, run-5, run-4, run-3. ',
    )
  })

  test('that is not found where there are none is answered with that', () => {
    expect(() => findRun(runs, 'monday')).toThrow(`no run called monday: there are none in ${runs}. `)
  })
})

describe('a report', () => {
  const nothing = runOf(async function* () {})

  test('takes the place of the one before as a whole, for its owner only', async () => {
    const path = join(runs, 'report.csv')
    writeFileSync(path, 'old')
    await writeReportFile(csvReport, nothing, path)
    expect(readFileSync(path, 'utf8')).toBe(csvReport.head)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(runs)).toEqual(['report.csv'])
  })

  test('that fails on the way leaves the one before, and nothing beside it', async () => {
    const path = join(runs, 'report.csv')
    writeFileSync(path, 'old')
    const failing = runOf(async function* () {
      yield []
      throw new Error('the checkpoint cannot be read')
    })
    await expect(writeReportFile(csvReport, failing, path)).rejects.toThrow('the checkpoint cannot be read')
    expect(readFileSync(path, 'utf8')).toBe('old')
    expect(readdirSync(runs)).toEqual(['report.csv'])
  })

  test('that has nowhere to go fails', async () => {
    await expect(writeReportFile(csvReport, nothing, join(runs, 'missing', 'report.csv'))).rejects.toThrow(
      'ENOENT',
    )
  })
})
