import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Ledger, Slot } from '../../src/pacing/ledger.js'
import type { RateWindow } from '../../src/settings/limits.js'
import { FakeClock } from '../fake-clock.js'

/** What every ledger promises. `open` gives ledgers that count for the same instance. */
export function testLedgerContract(name: string, open: (clock: FakeClock) => Promise<Ledger>): void {
  describe(`the ledger in ${name}`, () => {
    let clock: FakeClock
    let ledger: Ledger
    beforeEach(async () => {
      clock = new FakeClock()
      ledger = await open(clock)
    })
    afterEach(() => ledger.close())

    const second: RateWindow = { max: 3, perMs: 1000 }
    const minute: RateWindow = { max: 5, perMs: 60_000 }
    const holdMs = 30_000

    async function place(windows: readonly RateWindow[] = [second]): Promise<Slot> {
      const taken = await ledger.take(windows, holdMs)
      if (!taken.slot) throw new Error(`No place for ${taken.waitMs} ms`)
      return taken.slot
    }

    it('gives as many places at once as the window has, and not one more', async () => {
      for (let call = 0; call < second.max; call++) await place()
      expect(await ledger.take([second], holdMs)).toMatchObject({ slot: null, fullWindow: second })
    })

    it('takes a place back one window after the answer, not after the start', async () => {
      const places = [await place(), await place(), await place()]
      await clock.advance(5000)
      await places[1]!.giveBack()
      await clock.advance(999)
      expect(await ledger.take([second], holdMs)).toMatchObject({ slot: null, waitMs: 1 })
      await clock.advance(1)
      await place()
      expect(await ledger.take([second], holdMs)).toMatchObject({ slot: null })
    })

    it('says how long it takes at least until a place may be free', async () => {
      const places = [await place(), await place(), await place()]
      expect(await ledger.take([second], holdMs)).toMatchObject({ waitMs: 1000 })
      await places[0]!.giveBack()
      await clock.advance(300)
      await places[1]!.giveBack()
      expect(await ledger.take([second], holdMs)).toMatchObject({ waitMs: 700 })
      expect(await ledger.take([{ max: 2, perMs: 1000 }], holdMs)).toMatchObject({ waitMs: 1000 })
    })

    it('names the window that needs the longest', async () => {
      for (let call = 0; call < 3; call++) await (await place([second, minute])).giveBack()
      expect(await ledger.take([second, minute], holdMs)).toMatchObject({ fullWindow: second, waitMs: 1000 })
      await clock.advance(1000)
      for (let call = 0; call < 2; call++) await (await place([second, minute])).giveBack()
      expect(await ledger.take([second, minute], holdMs)).toMatchObject({
        fullWindow: minute,
        waitMs: 59_000,
      })
    })

    it('counts all calls for whoever asks, whatever windows those came with', async () => {
      for (let call = 0; call < 4; call++) await (await place([minute])).giveBack()
      expect(await ledger.take([second], holdMs)).toMatchObject({ slot: null, fullWindow: second })
      await clock.advance(1000)
      await place([second])
      expect(await ledger.take([minute], holdMs)).toMatchObject({ slot: null, fullWindow: minute })
    })

    it('gives a released place to the next at once', async () => {
      const places = [await place(), await place(), await place()]
      await places[2]!.release()
      await place()
      expect(await ledger.take([second], holdMs)).toMatchObject({ slot: null })
    })

    it('counts the place of a holder that died as answered when its hold ends', async () => {
      for (let call = 0; call < 3; call++) await place()
      await clock.advance(holdMs + second.perMs - 1)
      expect(await ledger.take([second], holdMs)).toMatchObject({ slot: null, waitMs: 1 })
      await clock.advance(1)
      for (let call = 0; call < 3; call++) await place()
    })

    it('counts an answer that comes after the hold from that answer on', async () => {
      const late = await place([{ max: 1, perMs: 1000 }])
      await clock.advance(holdMs + 900)
      await late.giveBack()
      await clock.advance(200)
      expect(await ledger.take([{ max: 1, perMs: 1000 }], holdMs)).toMatchObject({ slot: null, waitMs: 800 })
    })

    it('gives no place while it is closed, and only lengthens that', async () => {
      await ledger.blockFor(5000)
      await ledger.blockFor(1000)
      await clock.advance(2000)
      expect(await ledger.take([second], holdMs)).toEqual({ slot: null, waitMs: 3000, fullWindow: null })
      await clock.advance(3000)
      await place()
    })

    it('says how many calls count in each window, and how many places were taken', async () => {
      const first = await ledger.take([second, minute], holdMs)
      expect(first).toMatchObject({ onRecord: [1, 1] })
      await first.slot?.giveBack()
      await clock.advance(1000)
      const later = await ledger.take([second, minute], holdMs)
      expect(later).toMatchObject({ onRecord: [1, 2] })
      const last = await ledger.take([minute], holdMs)
      expect(last).toMatchObject({ onRecord: [3] })
      const taken = [first, later, last].map((one) => (one.slot ? one.taken : Number.NaN))
      expect(taken).toEqual([taken[0], taken[0]! + 1, taken[0]! + 2])
    })

    it('gives places without end when there are no windows', async () => {
      for (let call = 0; call < 100; call++) await place([])
    })

    it('neither opens nor blocks when the clock on the wall is set', async () => {
      for (let call = 0; call < 3; call++) await (await place()).giveBack()
      clock.jumpWall(3_600_000)
      expect(await ledger.take([second], holdMs)).toMatchObject({ slot: null, waitMs: 1000 })
      clock.jumpWall(-7_200_000)
      await clock.advance(1000)
      await place()
    })
  })
}
