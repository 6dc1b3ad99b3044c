import { expect, test } from 'vitest'
import { askedMetricsFile, askedNotices } from '../../src/commands/notice-options.js'
import { UsageError } from '../../src/system/errors.js'

const names = (...asked: Parameters<typeof askedNotices>) => askedNotices(...asked).map(({ name }) => name)

test('nobody is told when nobody asked', () => {
  const empty = { ADA_BULK_NOTIFY: '', ADA_BULK_HEARTBEAT: '', ADA_BULK_METRICS_FILE: '' }
  for (const environment of [{}, empty]) {
    expect(askedNotices({}, environment)).toEqual([])
    expect(askedMetricsFile({}, environment)).toEqual([])
  }
})

test('flags and variables name who is told, and a flag wins', () => {
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
  expect(askedMetricsFile({}, environment)[0]!.name).toBe('--metrics-file /tmp/of the environment.prom')
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
  expect(askedMetricsFile(flags, environment)[0]!.name).toBe('--metrics-file /tmp/flag.prom')
})

test('what is wrong is blamed on where it stands', () => {
  expect(() => askedNotices({ heartbeat: 'hc-ping.com/s3cret' }, {})).toThrow(/^--heartbeat: /)
  expect(() => askedNotices({}, { ADA_BULK_NOTIFY: 'hooks.slack.com/s3cret' })).toThrow(/^ADA_BULK_NOTIFY: /)
  expect(() => askedMetricsFile({}, { ADA_BULK_METRICS_FILE: '/tmp/a.txt' })).toThrow(UsageError)
})
