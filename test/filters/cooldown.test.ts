import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openRecentlySubmitted } from '../../src/filters/cooldown.js'

const dayMs = 86_400_000
const instance = 'https://acme.ada.support'
const jane = '["email","jane@example.com",null]'
const john = '["email","john@example.com",null]'

function scene() {
  const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-recent-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  let nowMs = Date.UTC(2026, 10, 22, 9, 30)
  return {
    directory,
    startMs: nowMs,
    open: (of = instance) => openRecentlySubmitted(directory, of, () => nowMs),
    pass: (ms: number) => {
      nowMs += ms
    },
    files: () =>
      readdirSync(directory, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name)),
  }
}

test('who was handed over is known to the next run, for seven days and an hour', () => {
  const { open, pass, startMs } = scene()
  open().add([jane])
  pass(7 * dayMs + 3_599_999)
  expect(open().submittedAtMs(jane)).toBe(startMs)
  expect(open().submittedAtMs(john)).toBeNull()
  pass(1)
  expect(open().submittedAtMs(jane)).toBeNull()
})

test('runs side by side see what the other added before they began, and lose nothing of it', () => {
  const { open, startMs } = scene()
  const [one, other] = [open(), open()]
  one.add([jane])
  other.add([john])
  expect([jane, john].map((who) => open().submittedAtMs(who))).toEqual([startMs, startMs])
})

test('who was not taken after all may be handed over at once', () => {
  const { open } = scene()
  const recent = open()
  recent.add([jane, john])
  recent.withdraw([jane])
  for (const one of [recent, open()]) {
    expect([one.submittedAtMs(jane), one.submittedAtMs(john) !== null]).toEqual([null, true])
  }
})

test('each instance counts for itself', () => {
  const { open } = scene()
  open().add([jane])
  expect(open('https://globex.ada.support').submittedAtMs(jane)).toBeNull()
})

test('nothing that is on disk names anybody, and only the owner reads it', () => {
  const { open, files } = scene()
  open().add([jane])
  expect(files().length).toBe(2)
  for (const path of files()) {
    expect(readFileSync(path, 'utf8')).not.toMatch(/jane|example/)
    expect(statSync(path).mode & 0o077).toBe(0)
  }
})

test('days that do not matter any more are removed', () => {
  const { open, pass, files } = scene()
  open().add([jane])
  pass(9 * dayMs)
  open().add([john])
  expect(files().filter((path) => path.endsWith('.log'))).toHaveLength(1)
})
