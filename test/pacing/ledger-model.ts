import { describe, expect, it } from 'vitest'
import type { RateWindow } from '../../src/settings/limits.js'

/** What the models of ledgers have in common. `SEEDS=1000` plays more of them, and prints what they have seen. */

/** A process was killed in the middle of what it did. */
export class Killed extends Error {}

export const holdMs = 60_000

export function spansOverLimit(arrivals: readonly number[], { max, perMs }: RateWindow): number[] {
  return arrivals.flatMap((atMs, index) => {
    const spanMs = (arrivals[index + max] ?? Number.POSITIVE_INFINITY) - atMs
    return spanMs < perMs ? [spanMs] : []
  })
}

/** `play` simulates several processes on one ledger; it gives the arrivals at the API and what happened how often. */
export function testModel(
  name: string,
  seedsMin: number,
  play: (seed: number, windows: readonly RateWindow[]) => Promise<{ arrivals: number[]; counts: Counts }>,
): void {
  describe(name, () => {
    const windows = [
      { max: 5, perMs: 10_000 },
      { max: 20, perMs: 90_000 },
    ]
    const seeds = Number(process.env.SEEDS ?? seedsMin)
    const total: Counts = {}
    let arrived = 0

    it.each(Array.from({ length: seeds }, (_, seed) => seed))('holds every window, seed %i', async (seed) => {
      const { arrivals, counts } = await play(seed, windows)
      arrivals.sort((a, b) => a - b)
      for (const window of windows) expect(spansOverLimit(arrivals, window)).toEqual([])
      arrived += arrivals.length
      for (const [event, count] of Object.entries(counts)) total[event] = (total[event] ?? 0) + count
    })

    it('has seen enough of everything to mean something', () => {
      if (process.env.SEEDS) console.log(arrived, total)
      expect(arrived).toBeGreaterThan(seeds * 30)
      for (const count of Object.values(total)) expect(count).toBeGreaterThan(seeds / 2)
    })
  })
}

type Counts = Record<string, number>
