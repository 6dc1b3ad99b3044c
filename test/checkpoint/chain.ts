import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { eventOf } from '../../src/checkpoint/codec.js'
import type { SettledItem } from '../../src/item.js'

/** The lines of a log, after a look that each names the hash of the one before and that none is torn. */
export function chainedLines(path: string): Record<string, unknown>[] {
  const text = readFileSync(path, 'utf8')
  expect(text === '' || text.endsWith('\n')).toBe(true)
  const lines = text.split('\n').slice(0, -1)
  let prev = '0'.repeat(64)
  for (const line of lines) {
    if (!line.endsWith(`,"prev":"${prev}"}`)) expect.fail(`the chain breaks at ${line}`)
    prev = createHash('sha256').update(`${line}\n`).digest('hex')
  }
  return lines.map((line) => JSON.parse(line))
}

/** The hash of a log's last line. */
export function headOf(path: string): string {
  const text = readFileSync(path, 'utf8')
  const last = text.slice(text.lastIndexOf('\n', text.length - 2) + 1)
  return createHash('sha256').update(last).digest('hex')
}

export function settledIn(line: string): SettledItem | null {
  const event = eventOf(line)
  return event?.event === 'settled' ? event.settled : null
}
