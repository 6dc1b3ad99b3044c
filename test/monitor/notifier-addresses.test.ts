import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { metricsText } from '../../src/monitor/metrics-file.js'
import { parseMetricsFile, parseNoticeUrl } from '../../src/monitor/notifier-addresses.js'
import { UsageError } from '../../src/system/errors.js'
import { finished } from './news.js'

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
