import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { metricsText } from '../../src/monitor/metrics-file.js'
import {
  parseMetricsFile,
  parseNoticeUrl,
  requestedMetricsFile,
  requestedNotifiers,
} from '../../src/monitor/notifier-addresses.js'
import { UsageError } from '../../src/system/errors.js'
import { finished } from './notifications.js'

describe('an address that is told of a run', () => {
  test.each([
    'https://hooks.slack.com/services/T0/B0/s3cret',
    'https://ops.example.com:8443/hook?token=s3cret',
    ' https://hc-ping.com/5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278\n',
    'http://127.0.0.1:8000/ping/s3cret',
    'http://localhost/s3cret',
  ])('%j is taken as it is', (text) => {
    expect(parseNoticeUrl(text, '--notify').href).toBe(text.trim())
  })

  test.each([
    ['', 'not an address'],
    ['s3cret', 'not an address'],
    ['hooks.slack.com/services/s3cret', 'not an address'],
    ['file:///etc/s3cret', 'not an address'],
    ['https://', 'not an address'],
    ['https://s3cret@ops.example.com/s3cret', 'user or password'],
    ['https://person:s3cret@ops.example.com/', 'user or password'],
    ['http://ops.example.com/s3cret?s3cret', 'Write https://ops.example.com/….'],
    ['http://127.0.0.1.example.com/s3cret', 'plain http'],
  ])('%j is refused without repeating what is secret of it', (text, words) => {
    const parse = () => parseNoticeUrl(text, 'ADA_BULK_NOTIFY')
    expect(parse).toThrow(UsageError)
    expect(parse).toThrow(/^ADA_BULK_NOTIFY/)
    expect(parse).toThrow(words)
    expect(parse).not.toThrow(/s3cret/)
  })
})

describe('a metrics file', () => {
  function place(): string {
    const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-metrics-'))
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
    return directory
  }

  test('may be new, empty, or one of ours', () => {
    const path = join(place(), 'cleanup.prom')
    expect(parseMetricsFile(path, '--metrics-file')).toBe(path)
    for (const text of ['', metricsText(finished, '')]) {
      writeFileSync(path, text)
      expect(parseMetricsFile(path, '--metrics-file')).toBe(path)
    }
  })

  test('that holds what somebody else keeps there is refused', () => {
    const path = join(place(), 'raid.prom')
    writeFileSync(path, '# HELP node_raid_disks Disks.\n# TYPE node_raid_disks gauge\nnode_raid_disks 2\n')
    expect(() => parseMetricsFile(path, '--metrics-file')).toThrow(/raid.prom: holds something else/)
  })

  test.each([
    ['cleanup.txt', /must end in \.prom/],
    ['not-there/cleanup.prom', /cannot be written \(ENOENT\)/],
  ])('%s is refused', (name, words) => {
    const path = join(place(), name)
    expect(() => parseMetricsFile(path, '--metrics-file')).toThrow(UsageError)
    expect(() => parseMetricsFile(path, '--metrics-file')).toThrow(words)
  })
})

const names = (...asked: Parameters<typeof requestedNotifiers>) =>
  requestedNotifiers(...asked).map(({ name }) => name)

test('there are no notifiers by default', () => {
  const empty = { ADA_BULK_NOTIFY: '', ADA_BULK_HEARTBEAT: '', ADA_BULK_METRICS_FILE: '' }
  for (const environment of [{}, empty]) {
    expect(requestedNotifiers({}, environment)).toEqual([])
    expect(requestedMetricsFile({}, environment)).toEqual([])
  }
})

test('flags and variables name the notifiers, and a flag wins', () => {
  const environment = {
    ADA_BULK_NOTIFY: 'https://hooks.slack.com/services/s3cret https://ops.example.com/s3cret',
    ADA_BULK_HEARTBEAT: 'https://hc-ping.com/s3cret',
    ADA_BULK_METRICS_FILE: '/tmp/of the environment.prom',
  }
  expect(names({}, environment)).toEqual([
    '--notify https://hooks.slack.com',
    '--notify https://ops.example.com',
    '--heartbeat https://hc-ping.com',
  ])
  expect(requestedMetricsFile({}, environment)[0]!.name).toBe('--metrics-file /tmp/of the environment.prom')
  const flags = {
    notify: ['https://flag.example.com/a', 'https://flag.example.org/b'],
    heartbeat: 'https://flag.example.net/c',
    'metrics-file': '/tmp/flag.prom',
  }
  expect(names(flags, environment)).toEqual([
    '--notify https://flag.example.com',
    '--notify https://flag.example.org',
    '--heartbeat https://flag.example.net',
  ])
  expect(requestedMetricsFile(flags, environment)[0]!.name).toBe('--metrics-file /tmp/flag.prom')
})

test('an error names the flag or the variable that is wrong', () => {
  expect(() => requestedNotifiers({ heartbeat: 'hc-ping.com/s3cret' }, {})).toThrow(/^--heartbeat: /)
  expect(() => requestedNotifiers({}, { ADA_BULK_NOTIFY: 'hooks.slack.com/s3cret' })).toThrow(
    /^ADA_BULK_NOTIFY: /,
  )
  expect(() => requestedMetricsFile({}, { ADA_BULK_METRICS_FILE: '/tmp/a.txt' })).toThrow(UsageError)
})
