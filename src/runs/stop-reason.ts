import { LogWriteError } from '../checkpoint/log.js'
import { KeyRefusedError } from '../operations/retry.js'
import { ApiDownError } from '../pacing/gate.js'
import { LedgerLostError } from '../pacing/ledger.js'
import { UsageError } from '../system/errors.js'
import type { StopReason } from '../system/stop.js'

/** In the middle of a run a UsageError is the ledger's: its disk is full, or was taken away. */
const forPerson = [KeyRefusedError, ApiDownError, LogWriteError, UsageError]

/** Why a run stops that has met this error; null when the error is a bug. */
export function stopReasonOf(error: unknown): StopReason | null {
  if (error instanceof LedgerLostError) return { exitCode: 75, because: error.message }
  const isForPerson = forPerson.some((kind) => error instanceof kind)
  return isForPerson ? { exitCode: 4, because: (error as Error).message } : null
}
