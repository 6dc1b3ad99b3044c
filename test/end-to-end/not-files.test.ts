import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { openPlace } from './harness.js'

const place = openPlace()
const whole = join(place.directory, 'whole')

beforeAll(async () => {
  const words = [
    '--input',
    'samples/conversations.csv',
    '--sandbox',
    '--api-limit',
    'none',
    '--max-items',
    '2',
  ]
  const ended = await place.run(
    ['run', 'end-conversations', ...words, '--yes', '--quiet', '--run-dir', whole],
    {
      directory: process.cwd(),
    },
  )
  expect(ended.code).toBe(75)
})

const put = {
  'a pipe that nobody writes to': (path: string) => void execFileSync('mkfifo', [path]),
  'a directory': (path: string) => mkdirSync(path),
  'a device without an end': (path: string) => symlinkSync('/dev/zero', path),
}

/** What reads each file, and would wait for it. */
const readers: Record<string, string[]> = {
  'run.json': ['status'],
  'checkpoint.jsonl': ['report'],
  'summary.json': ['verify'],
  'control.json': ['throttle', '--share', '20%'],
  'report.csv': ['verify'],
  '.lock.9': ['status'],
}

describe.each(Object.entries(put))('%s in place of a file of a run', (what, make) => {
  test('is no wait, and no crash: a sentence says which file it is', async () => {
    const ended = Object.entries(readers).map(async ([name, [command, ...words]], index) => {
      const run = join(place.directory, `${what.replaceAll(' ', '-')}-${index}`)
      cpSync(whole, run, { recursive: true })
      rmSync(join(run, name), { force: true })
      make(join(run, name))
      const running = place.start([command!, run, ...words])
      const tooLate = setTimeout(() => running.kill('SIGKILL'), 25_000)
      const { code, stdout, stderr } = await running.exited
      clearTimeout(tooLate)
      return { name, code, said: stdout + stderr }
    })
    for (const { name, code, said } of await Promise.all(ended)) {
      expect([0, 2, 3], `${name}: ${said}`).toContain(code)
      expect(said).not.toMatch(/\n {4}at /)
      if (code !== 0) expect(said).toContain(name)
    }
  })
})
