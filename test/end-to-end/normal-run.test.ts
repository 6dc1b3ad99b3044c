import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { sandboxKey } from '../../src/sandbox/options.js'
import { startSandbox } from '../sandbox/sandboxes.js'
import {
  checkpointOf,
  closeAtEnd,
  conversationIds,
  csvOf,
  openPlace,
  reportColumns,
  reportOf,
  summaryOf,
} from './harness.js'

const sample = resolve('samples/conversations.csv')
const environment = { ADA_API_KEY: sandboxKey }

test.concurrent('a run over the sample ends every conversation and reports each row, in order', async () => {
  const place = openPlace()
  const sandbox = await startSandbox({ limits: 'none', latencyMs: { min: 2, max: 20 }, keepCalls: true })
  closeAtEnd(sandbox.close)
  const args = `run end-conversations --input ${sample} --base-url ${sandbox.url} --yes --api-limit none --attempts 3 --json`
  const run = await place.run(args.split(' '), { environment })
  expect(run).toMatchObject({ code: 3, signal: null })

  const directory = place.onlyRun()
  const summary = summaryOf(directory)
  expect(JSON.parse(run.stdout)).toEqual(summary)
  expect(summary).toMatchObject({
    job: 'end-conversations',
    instance: sandbox.url,
    exitCode: 3,
    stoppedBecause: null,
    totals: {
      read: 121,
      succeeded: 116,
      failed: 2,
      unknown: 0,
      invalid: 2,
      duplicate: 1,
      filtered: 0,
      left: 0,
    },
    reasons: {
      ended: 114,
      already_ended: 1,
      ended_on_retry: 1,
      not_found: 1,
      rejected: 1,
      duplicate: 1,
      empty_id: 1,
      bad_row: 1,
    },
    requests: { sent: sandbox.state.arrived, rateLimited: 0 },
    input: [{ path: sample, bytes: statSync(sample).size, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }],
  })
  const { read, ...parts } = summary.totals
  expect(Object.values(parts).reduce((sum, part) => sum + part)).toBe(read)
  expect(Date.parse(summary.finishedAt)).toBeGreaterThanOrEqual(Date.parse(summary.startedAt))

  const text = readFileSync(join(directory, 'report.csv'), 'utf8')
  expect(text.split('\n')[0]).toBe(reportColumns.join(','))
  expect(text).not.toContain('\r')
  const report = reportOf(directory)
  expect(report).toHaveLength(read)
  const lines = report.map(({ line }) => Number(line))
  expect(lines).toEqual([...lines].sort((a, b) => a - b))
  // One of them is a link to its conversation.
  for (const { id, line } of report.filter(({ id }) => /^[0-9a-f]{24}$/.test(id))) {
    expect(readFileSync(sample, 'utf8').split('\n')[Number(line) - 1]).toMatch(
      new RegExp(`^(conversations/)?${id},`),
    )
  }
  for (const row of report.filter(({ status }) => status === 'succeeded')) {
    expect(sandbox.state.isEnded(row.id)).toBe(true)
  }
  expect(report.filter(({ attempts }) => attempts !== '0')).toHaveLength(
    summary.totals.succeeded + summary.totals.failed,
  )
  expect(report.find(({ line }) => line === '88')).toMatchObject({
    id: '6acf1d157ae5ee18582fd984',
    reason: 'ended',
  })
  expect(report.find(({ id }) => id.endsWith('0503'))).toMatchObject({ status: 'succeeded', attempts: '3' })
  expect(sandbox.state.mostInFlightForOneId).toBe(1)
  expect(checkpointOf(directory).at(-1)).toMatchObject({ event: 'finished', exitCode: 3 })
})

test.concurrent("a run over a list that is all right exits 0, and its files are its owner's alone", async () => {
  const place = openPlace()
  const ids = conversationIds(20)
  place.write('stale.csv', csvOf(ids))
  const run = await place.run(['run', 'end-conversations', '-i', 'stale.csv', '--sandbox', '--yes'], {
    environment: { ADA_API_KEY: undefined },
  })
  expect(run).toMatchObject({ code: 0, stdout: expect.stringMatching(/is finished: 20 items/) })
  const directory = place.onlyRun()
  expect(reportOf(directory).map(({ id }) => id)).toEqual(ids)
  expect(new Set(reportOf(directory).map(({ source }) => source))).toEqual(new Set(['stale.csv']))
  expect(statSync(directory).mode & 0o777).toBe(0o700)
  const files = readdirSync(directory)
  expect(files).toEqual(
    expect.arrayContaining(['run.json', 'checkpoint.jsonl', 'report.csv', 'summary.json', 'run.log']),
  )
  for (const name of files)
    expect([name, statSync(join(directory, name)).mode & 0o777]).toEqual([name, 0o600])
  const runFile = JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8'))
  expect(runFile).toMatchObject({ job: 'end-conversations', isSandbox: true, input: [{ name: 'stale.csv' }] })
  for (const line of readFileSync(join(directory, 'run.log'), 'utf8').trim().split('\n')) JSON.parse(line)
})

test.concurrent('several inputs are one list: rows in the order of the files, and an ID counts once', async () => {
  const place = openPlace()
  const [a, b, c] = conversationIds(3) as [string, string, string]
  place.write('first.csv', csvOf([a, b]))
  place.write('second.csv', `channel;id\nweb;${b}\nweb;${c}\n`)
  const args = 'run end-conversations -i first.csv -i second.csv --sandbox --yes --quiet'
  expect(await place.run(args.split(' '))).toEqual({ code: 0, signal: null, stdout: '', stderr: '' })
  expect(reportOf(place.onlyRun()).map(({ id, status, source, line }) => [id, status, source, line])).toEqual(
    [
      [a, 'succeeded', 'first.csv', '2'],
      [b, 'succeeded', 'first.csv', '3'],
      [b, 'duplicate', 'second.csv', '2'],
      [c, 'succeeded', 'second.csv', '3'],
    ],
  )
})

test.concurrent('with many calls in flight nothing is on stderr that is not ours', async () => {
  const place = openPlace()
  place.write('stale.csv', csvOf(conversationIds(40)))
  const sandbox = await startSandbox({ limits: 'none', latencyMs: { min: 100, max: 200 } })
  closeAtEnd(sandbox.close)
  const args = `run end-conversations -i stale.csv --base-url ${sandbox.url} --yes --api-limit none --quiet`
  expect(await place.run(args.split(' '), { environment })).toMatchObject({ code: 0, stderr: '' })
})
