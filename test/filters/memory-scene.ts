import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, onTestFinished } from 'vitest'
import { openSyncState, type SyncState } from '../../src/filters/settled-before.js'
import type { Outcome } from '../../src/item.js'
import type { ExportSpan } from '../../src/settings/run-settings.js'

export const dayMs = 86_400_000
export const nowMs = Date.UTC(2026, 10, 1, 2)
export const instance = 'https://acme.ada.support'
export const id = '66f2a91c4be07d3f5c1e0001'

export let state = ''
export let memory: SyncState

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'ada-bulk-memory-'))
  memory = openSyncState(state, 'cleanup', instance, '{}')
  onTestFinished(() => {
    memory.close()
    rmSync(state, { recursive: true, force: true })
  })
})

/** As after a kill: what was not closed is read again. */
export function reopen(): SyncState {
  memory.close()
  memory = openSyncState(state, 'cleanup', instance, '{}')
  return memory
}

export const fileOf = (name: string) => join(state, 'memory', readdirSync(join(state, 'memory'))[0]!, name)
export const outcome = (
  status: Outcome['status'],
  reason: string,
  httpStatus: number | null = null,
): Outcome => ({
  status,
  reason,
  httpStatus,
  message: '',
})
export const ended = outcome('succeeded', 'ended', 200)
export const onHold = outcome('filtered', 'on_hold')
export const voice = outcome('failed', 'rejected', 422)
export const failed = outcome('failed', 'server_error', 503)

/** Updated from so many days before now on, up to so many. */
export const span = (from: number, to: number, by: ExportSpan['by'] = 'updated'): ExportSpan => ({
  by,
  fromMs: nowMs - from * dayMs,
  toMs: nowMs - to * dayMs,
})
export const daysAgo = (days: number) => nowMs - days * dayMs
/** Where the next run begins, in days before now; null: with all of the history. */
export const beginsDaysAgo = () =>
  memory.highWaterMarkMs === null ? null : (nowMs - memory.highWaterMarkMs) / dayMs
