import type { Clock } from '../system/clock.js'
import { CallsOnRecord } from './calls-on-record.js'
import type { Ledger } from './ledger.js'

/** A ledger for one process, forgotten with it. */
export function openMemoryLedger(clock: Clock): Ledger {
  const calls = new CallsOnRecord()
  return {
    async take(windows, holdMs) {
      const nowMs = clock.monotonicMs()
      const obstacle = calls.obstacle(windows, nowMs)
      if (obstacle) return { slot: null, ...obstacle }
      for (const { perMs } of windows) calls.nameWindow(perMs, nowMs)
      const token = String(calls.taken)
      calls.take(token, nowMs + holdMs)
      return {
        slot: {
          giveBack: async () => calls.end(token, clock.monotonicMs()),
          release: async () => calls.release(token),
        },
        onRecord: calls.counts(windows, nowMs),
        taken: calls.taken,
      }
    },
    blockFor: async (ms) => calls.blockUntil(clock.monotonicMs() + ms),
    close: async () => {},
  }
}
