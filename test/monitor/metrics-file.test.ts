import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { metricsText, openMetricsFile } from '../../src/monitor/metrics-file.js'
import type { Notification } from '../../src/monitor/notifier.js'
import { failedToStart, finished, going, started, stopped } from './notifications.js'

const labels = 'ada_job="cleanup",ada_instance="https://acme.ada.support"'
const lastSuccess = (text: string) => /^ada_bulk_last_success_timestamp_seconds\{.*\} (.*)$/m.exec(text)?.[1]
const successAt = String(Date.parse(finished.finishedAt!) / 1000)

/** The file after these news. */
function fileAfter(...told: Notification[]): string {
  return told.reduce((before, news) => metricsText(news, before), '')
}

test('a run that goes on says so, with its items and calls', () => {
  const lines = fileAfter(going).split('\n')
  expect(lines).toEqual(
    expect.arrayContaining([
      `ada_bulk_run_running{${labels}} 1`,
      `ada_bulk_run_breaker_open{${labels}} 0`,
      `ada_bulk_run_start_timestamp_seconds{${labels}} ${Date.parse(going.startedAt!) / 1000}`,
      `ada_bulk_run_items{${labels},status="succeeded"} 300`,
      `ada_bulk_run_items{${labels},status="left"} 1197`,
      `ada_bulk_run_calls{${labels}} 310`,
      `ada_bulk_run_calls_rate_limited{${labels}} 4`,
    ]),
  )
  // Nothing is known of an earlier one.
  expect(lines.filter((line) => line.includes('_last_'))).toEqual([])
})

test('the end says when, and with which exit code', () => {
  const text = fileAfter(started, stopped)
  expect(text).toContain(`ada_bulk_run_running{${labels}} 0\n`)
  expect(text).toContain(`ada_bulk_last_exit_code{${labels}} 4\n`)
  expect(text).toContain(`ada_bulk_last_finish_timestamp_seconds{${labels}} ${successAt}\n`)
  expect(lastSuccess(text)).toBeUndefined()
})

test('the last success stays until the next one, whatever comes between', () => {
  const later = { ...stopped, finishedAt: '2026-11-23T01:06:00.000Z' }
  for (const told of [[started], [started, going, later], [{ ...later, exitCode: 75 }], [failedToStart]]) {
    expect(lastSuccess(fileAfter(finished, ...told))).toBe(successAt)
  }
  const again = fileAfter(finished, later, { ...finished, finishedAt: '2026-11-24T01:00:00.000Z' })
  expect(lastSuccess(again)).toBe(String(Date.UTC(2026, 10, 24, 1) / 1000))
})

test('while a run goes on, the last one is remembered', () => {
  expect(fileAfter(stopped, started)).toContain(`ada_bulk_last_exit_code{${labels}} 4\n`)
})

test('a run that could not start is told under the name of the runs before', () => {
  const text = fileAfter(finished, failedToStart)
  expect(text).toContain(`ada_bulk_last_exit_code{${labels}} 2\n`)
  expect(text).toContain(`ada_bulk_run_running{${labels}} 0\n`)
  expect(fileAfter(failedToStart)).toContain('ada_bulk_last_exit_code{ada_job="cleanup",ada_instance=""} 2\n')
})

test('the success of another job is not taken for ours', () => {
  expect(lastSuccess(fileAfter(finished, { ...stopped, job: 'close-stale' }))).toBeUndefined()
})

test('a damaged file is written anew', () => {
  expect(metricsText(finished, '# HELP ada_bulk_\u0000\nada_bulk_last_success_timestamp_seconds{a="b"')).toBe(
    fileAfter(finished),
  )
})

test('promtool has nothing against the file, whatever the job is called', () => {
  if (spawnSync('promtool', ['--version']).error) {
    const text = 'NOT TESTED: metrics by promtool. Install it with `apt-get install prometheus`.'
    if (process.env.CI) throw new Error(text)
    console.warn(text)
    return
  }
  const odd = { ...stopped, job: 'a "b"\\c\nd' }
  const files = [
    [started],
    [going],
    [finished],
    [finished, odd, odd],
    [finished, failedToStart],
    [failedToStart],
  ]
  for (const told of files) {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: fileAfter(...told),
      encoding: 'utf8',
    })
    expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: '' })
  }
})

test('the file can be read by others, is replaced as a whole, and nothing stays beside it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-metrics-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const umask = process.umask(0o077)
  onTestFinished(() => void process.umask(umask))
  const path = join(directory, 'cleanup.prom')
  const file = openMetricsFile(path)
  const { signal } = new AbortController()
  await file.notify(finished, signal)
  const { ino } = statSync(path)
  await file.notify(started, signal)
  expect(statSync(path).mode & 0o777).toBe(0o644)
  expect(statSync(path).ino).not.toBe(ino)
  expect(lastSuccess(readFileSync(path, 'utf8'))).toBe(successAt)
  expect(readdirSync(directory)).toEqual(['cleanup.prom'])
})
