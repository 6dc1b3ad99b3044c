import type * as Fs from 'node:fs'
import { expect, test, vi } from 'vitest'
import { record, refusal, type scene as Scene, serving } from './scripted-export.js'

/** Counts what is changed on disk; the process dies at step `dieAt`, in the middle of a write. */
const life = vi.hoisted(() => ({ steps: 0, dieAt: 0 }))

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof Fs>()
  const step = () => {
    life.steps += 1
    return life.dieAt > 0 && life.steps >= life.dieAt
  }
  const die = () => {
    throw new Error('killed')
  }
  const dying = <T extends (...args: never[]) => unknown>(act: T) =>
    ((...args) => (step() ? die() : act(...args))) as T
  return {
    ...fs,
    default: fs,
    writeSync(file: number, bytes: Uint8Array, done = 0) {
      if (!step()) return fs.writeSync(file, bytes, done)
      if (life.steps === life.dieAt) fs.writeSync(file, bytes, done, Math.floor((bytes.length - done) / 2))
      return die()
    },
    ftruncateSync: dying(fs.ftruncateSync),
    fsyncSync: dying(fs.fsyncSync),
    renameSync: dying(fs.renameSync),
    rmSync: dying(fs.rmSync),
    // The temporary file of somebody who was killed stays where it is.
    unlinkSync: dying(fs.unlinkSync),
  }
})

const { scene } = await import('./scripted-export.js')

const records = Array.from({ length: 7 }, (_, nth) => record(nth))
const pages = [records.slice(0, 3), records.slice(2, 5), records.slice(4)]
const right = serving(pages)

async function runAndDieAt(stage: ReturnType<typeof Scene>, step: number, answers = right): Promise<boolean> {
  Object.assign(life, { steps: 0, dieAt: step })
  try {
    await stage.run(answers)
    return false
  } catch (error) {
    if (!String(error).includes('killed')) throw error
    return true
  } finally {
    life.dieAt = 0
  }
}

test('killed at any step, the same download again gives the same file', async () => {
  let step = 1
  for (; ; step += 1) {
    const stage = scene()
    if (!(await runAndDieAt(stage, step))) break
    // Killed behind the rename, the file is whole already.
    await stage.run(right)
    expect(stage.records(), `killed at step ${step}`).toEqual(records)
  }
  expect(step).toBeGreaterThan(20)
})

test('killed again and again, it is whole in the end', async () => {
  const stage = scene()
  let kills = 0
  while (await runAndDieAt(stage, 12)) kills += 1
  expect(kills).toBeGreaterThan(1)
  expect(stage.records()).toEqual(records)
})

test('killed at any step of asking a query anew, every record is there once', async () => {
  for (let step = 1; ; step += 1) {
    const stage = scene()
    await runAndDieAt(stage, 15)
    let isRefused = false
    const forgetful = (path: string) => {
      if (isRefused || !path.includes('cursor')) return right(path)
      isRefused = true
      return refusal(410, 'Gone')
    }
    if (!(await runAndDieAt(stage, step, forgetful))) break
    await stage.run(right)
    expect(stage.records(), `killed at step ${step}`).toEqual(records)
  }
})
