import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect } from 'vitest'
import type { RunFile } from '../../src/checkpoint/run-file.js'
import { type Desk, openDesk, type Said, startEndingApi } from './in-process.js'

export const ids = Array.from({ length: 12 }, (_, index) => `66f2a91c4be07d3f5c1e00${index + 10}`)
export const daysAgo = (days: number, nowMs = Date.now()) =>
  new Date(nowMs - days * 86_400_000).toISOString().slice(0, -1)
export const table = (rows: readonly (readonly string[])[]) =>
  `${[['_id', 'date_updated'], ...rows].map((row) => row.join(',')).join('\n')}\n`

interface Scene extends Desk {
  api: { url: string; ended: string[] }
  input: string
  hold: string
  file: string
  /** `plan close-stale … --output plan.json`, with the flags that the plan was made with. */
  plan(...words: string[]): Promise<Said>
  /** `run close-stale --plan plan.json --yes`. */
  run(...words: string[]): Promise<Said>
  runFile(): RunFile
}

async function openScene(): Promise<Scene> {
  const desk = openDesk()
  const api = await startEndingApi()
  const input = desk.write('stale.csv', table(ids.map((id, index) => [id, daysAgo(index < 2 ? 1 : 60)])))
  const hold = desk.write('hold.csv', `_id\n${ids[2]}\n`)
  const file = desk.path('plan.json')
  const base = ['--idle', '30d', '--share', '50%', '--api-limit', 'none', '--base-url', api.url]
  return {
    ...desk,
    api,
    input,
    hold,
    file,
    plan: (...words) =>
      desk.type('plan', 'close-stale', '-i', input, '--hold', hold, ...base, '--output', file, ...words),
    run: (...words) =>
      desk.type(
        'run',
        'close-stale',
        '--plan',
        file,
        '--yes',
        '--progress',
        'none',
        '--run-dir',
        desk.path('tonight'),
        ...words,
      ),
    runFile: () => JSON.parse(readFileSync(join(desk.path('tonight'), 'run.json'), 'utf8')),
  }
}

export let scene: Scene
beforeEach(async () => {
  scene = await openScene()
})

/** One sentence, exit code 2, nothing sent, nothing left behind. */
export function expectRefused(said: Said, sentence: string | RegExp): void {
  const message = said.stderr.trimEnd().split('\n').at(-1)!
  if (typeof sentence === 'string') expect(message).toBe(`ada-bulk: ${sentence}`)
  else expect(message).toMatch(sentence)
  expect(said).toMatchObject({ code: 2, stdout: '' })
  expect(scene.api.ended).toEqual([])
  expect(existsSync(scene.path('tonight'))).toBe(false)
}
export const changed = (what: string) =>
  `${scene.file} holds no longer: since it was made, ${what} changed. Make a new plan, and look at it.`
