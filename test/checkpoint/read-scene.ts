import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { Checkpoint } from '../../src/checkpoint/checkpoint.js'
import { type CheckpointState, readCheckpoint } from '../../src/checkpoint/read.js'
import type { SettledItem } from '../../src/item.js'
import { at, itemOf, type Step, take } from './arbitrary-steps.js'

let directory: string
export let path: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'ada-bulk-read-'))
  path = join(directory, 'checkpoint.jsonl')
})
afterAll(() => rmSync(directory, { recursive: true }))
afterEach(() => rmSync(path, { force: true }))

/** Goes on with the checkpoint as a resumed run does. */
export async function write(...steps: readonly Step[]): Promise<void> {
  const checkpoint = new Checkpoint(path, readCheckpoint(path))
  for (const step of steps) await take(checkpoint, step)
  await checkpoint.close()
}

export const settledAs = (
  ordinal: number,
  status: SettledItem['status'] = 'succeeded',
  reason = 'ended',
): Step => ({
  does: 'settleDurably',
  settled: {
    ...itemOf(ordinal),
    status,
    reason,
    httpStatus: 200,
    message: '',
    attempts: 1,
    finishedAt: at,
    durationMs: 128,
  },
})
export const sent = (ordinal: number, isRead = false): Step => ({ does: 'sent', ordinal, isRead })
export const back = (ordinal: number, reason = 'server_error', isRead = false): Step => ({
  does: 'back',
  ordinal,
  reason,
  isRead,
})

export const openOf = ({ open }: CheckpointState) =>
  Object.fromEntries(
    [...open].map(([ordinal, { calls, isAnswerLost }]) => [ordinal, { calls, isAnswerLost }]),
  )
