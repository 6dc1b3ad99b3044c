import type { Clock } from '../system/clock.js'
import { CallsOnRecord } from './calls-on-record.js'
import type { Ledger } from './ledger.js'

/** A ledger for one process, forgotten with it. */
export function openMemoryLedger(clock: Clock): Ledger {
  const calls = new CallsOnRecord()
  let takes = 0
  return {
    async take(windows, holdMs) {
      const nowMs = clock.monotonicMs()
      const obstacle = calls.obstacle(windows, nowMs)
      if (obstacle) return { place: null, ...obstacle }
      const token = String(takes++)
      calls.take(token, nowMs + holdMs)
      for (const { perMs } of windows) calls.nameWindow(perMs, nowMs)
      return {
        place: {
          giveBack: async () => calls.end(token, clock.monotonicMs()),
          release: async () => calls.release(token),
        },
        onRecord: calls.counts(windows, nowMs),
        taken: calls.taken,
      }
    },
    closeFor: async (ms) => calls.closeUntil(clock.monotonicMs() + ms),
    close: async () => {},
  }
}
