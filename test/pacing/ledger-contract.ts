import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Ledger, Slot } from '../../src/pacing/ledger.js'
import type { RateWindow } from '../../src/settings/limits.js'
import { FakeClock } from '../fake-clock.js'

/** What every ledger promises. */
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

    async function slot(windows: readonly RateWindow[] = [second]): Promise<Slot> {
      const taken = await ledger.take(windows, holdMs)
      if (!taken.slot) throw new Error(`No slot for ${taken.waitMs} ms`)
      return taken.slot
    }

    it('gives as many slots at once as the window has, and not one more', async () => {
      for (let call = 0; call < second.max; call++) await slot()
      expect(await ledger.take([second], holdMs)).toMatchObject({ slot: null, fullWindow: second })
    })

    it('frees a slot one window after the answer, not after the start', async () => {
      const slots = [await slot(), await slot(), await slot()]
      await clock.advance(5000)
      await slots[1]!.giveBack()
      await clock.advance(999)
      expect(await ledger.take([second], holdMs)).toMatchObject({ slot: null, waitMs: 1 })
      await clock.advance(1)
      await slot()
      expect(await ledger.take([second], holdMs)).toMatchObject({ slot: null })
    })

    it('says how long it takes at least until a slot may be free', async () => {
      const slots = [await slot(), await slot(), await slot()]
      expect(await ledger.take([second], holdMs)).toMatchObject({ waitMs: 1000 })
      await slots[0]!.giveBack()
      await clock.advance(300)
      await slots[1]!.giveBack()
      expect(await ledger.take([second], holdMs)).toMatchObject({ waitMs: 700 })
      expect(await ledger.take([{ max: 2, perMs: 1000 }], holdMs)).toMatchObject({ waitMs: 1000 })
    })

    it('names the window that takes the longest', async () => {
      for (let call = 0; call < 3; call++) await (await slot([second, minute])).giveBack()
      expect(await ledger.take([second, minute], holdMs)).toMatchObject({ fullWindow: second, waitMs: 1000 })
      await clock.advance(1000)
      for (let call = 0; call < 2; call++) await (await slot([second, minute])).giveBack()
      expect(await ledger.take([second, minute], holdMs)).toMatchObject({
        fullWindow: minute,
        waitMs: 59_000,
      })
    })

    it('counts all calls for every caller, whatever windows they came with', async () => {
      for (let call = 0; call < 4; call++) await (await slot([minute])).giveBack()
      expect(await ledger.take([second], holdMs)).toMatchObject({ slot: null, fullWindow: second })
      await clock.advance(1000)
      await slot([second])
      expect(await ledger.take([minute], holdMs)).toMatchObject({ slot: null, fullWindow: minute })
    })

    it('gives a released slot to the next call at once', async () => {
      const slots = [await slot(), await slot(), await slot()]
      await slots[2]!.release()
      await slot()
      expect(await ledger.take([second], holdMs)).toMatchObject({ slot: null })
    })

    it('counts the slot of a process that died as answered when its hold ends', async () => {
      for (let call = 0; call < 3; call++) await slot()
      await clock.advance(holdMs + second.perMs - 1)
      expect(await ledger.take([second], holdMs)).toMatchObject({ slot: null, waitMs: 1 })
      await clock.advance(1)
      for (let call = 0; call < 3; call++) await slot()
    })

    it('counts an answer that comes after the hold from that answer on', async () => {
      const late = await slot([{ max: 1, perMs: 1000 }])
      await clock.advance(holdMs + 900)
      await late.giveBack()
      await clock.advance(200)
      expect(await ledger.take([{ max: 1, perMs: 1000 }], holdMs)).toMatchObject({ slot: null, waitMs: 800 })
    })

    it('gives no slot while it is blocked, and never shortens that', async () => {
      await ledger.blockFor(5000)
      await ledger.blockFor(1000)
      await clock.advance(2000)
      expect(await ledger.take([second], holdMs)).toEqual({ slot: null, waitMs: 3000, fullWindow: null })
      await clock.advance(3000)
      await slot()
    })

    it('says how many calls count in each window, and how many slots were taken', async () => {
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

    it('gives slots without end when there are no windows', async () => {
      for (let call = 0; call < 100; call++) await slot([])
    })

    it('neither opens nor blocks when the wall clock is set', async () => {
      for (let call = 0; call < 3; call++) await (await slot()).giveBack()
      clock.jumpWall(3_600_000)
      expect(await ledger.take([second], holdMs)).toMatchObject({ slot: null, waitMs: 1000 })
      clock.jumpWall(-7_200_000)
      await clock.advance(1000)
      await slot()
    })
  })
}

/** What a ledger promises that processes share. Ledgers with the same `nth` share a store. */
export function testSharedLedger(
  name: string,
  open: (clock: FakeClock, nth: number, instance: string) => Promise<Ledger>,
): void {
  describe(`the ledger in ${name}, shared`, () => {
    const window: RateWindow = { max: 3, perMs: 1000 }
    let clock: FakeClock
    let nth = 0
    beforeEach(() => {
      clock = new FakeClock()
      nth++
    })
    const opened = (instance = 'https://acme.ada.support') => open(clock, nth, instance)

    it('counts the calls of other processes', async () => {
      const [one, other] = [await opened(), await opened()]
      await one.take([window], 5000)
      expect(await slotsLeft(other, window)).toBe(2)
      expect(await slotsLeft(one, window)).toBe(0)
    })

    it('counts the calls of a process that is gone', async () => {
      const gone = await opened()
      await gone.take([window], 5000)
      await (await gone.take([window], 5000)).slot?.giveBack()
      await gone.close()
      await clock.advance(999)
      expect(await slotsLeft(await opened(), window)).toBe(1)
    })

    it('keeps other instances apart', async () => {
      expect(await slotsLeft(await opened(), window)).toBe(3)
      expect(await slotsLeft(await opened('https://other.ada.support'), window)).toBe(3)
    })

    it('keeps calls for as long as a window that some process counts with', async () => {
      const day = { max: 10, perMs: 86_400_000 }
      const [ledger, other] = [await opened(), await opened()]
      for (let call = 0; call < 10; call++) await (await ledger.take([day], 5000)).slot?.giveBack()
      for (let round = 0; round < 4; round++) {
        await clock.advance(20_000_000)
        for (let call = 0; call < 30; call++) await (await other.take([], 5000)).slot?.release()
      }
      expect(await (await opened()).take([day], 5000)).toMatchObject({ slot: null, fullWindow: day })
    })

    it('says how many calls all processes have on record, and how many slots they took', async () => {
      const [one, other] = [await opened(), await opened()]
      const windows = [window, { max: 10, perMs: 60_000 }]
      const first = await one.take(windows, 5000)
      await first.slot?.giveBack()
      await clock.advance(2000)
      const second = await other.take(windows, 5000)
      const third = await one.take(windows, 5000)
      expect([first, second, third].map((one) => one.slot && one.onRecord)).toEqual([[1, 1], [1, 2], [2, 3]]) // biome-ignore format: a table
      const taken = [first, second, third].map((one) => (one.slot ? one.taken : Number.NaN))
      expect(taken).toEqual([taken[0], taken[0]! + 1, taken[0]! + 2])
    })
  })
}

export async function slotsLeft(ledger: Ledger, window: RateWindow): Promise<number> {
  let left = 0
  while (left < 100 && (await ledger.take([window], 5000)).slot) left++
  return left
}
