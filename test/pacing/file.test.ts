import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { openFileLedger } from '../../src/pacing/file.js'
import { instanceFolder, type Ledger } from '../../src/pacing/ledger.js'
import { UsageError } from '../../src/system/errors.js'
import { FakeClock } from '../fake-clock.js'
import { testLedgerContract } from './ledger-contract.js'

const root = mkdtempSync(join(tmpdir(), 'ada-bulk-ledger-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const instance = 'https://acme.ada.support'
let directory = ''
let tests = 0

testLedgerContract('files', async (clock) =>
  openFileLedger({ directory: join(root, `contract-${tests++}`), instance, clock, bootId: 'one' }),
)
testLedgerContract('files that are written anew all the time', async (clock) =>
  openFileLedger({
    directory: join(root, `contract-${tests++}`),
    instance,
    clock,
    bootId: 'one',
    segmentBytes: 0,
  }),
)

describe('the ledger in files, shared', () => {
  let clock: FakeClock
  beforeEach(() => {
    clock = new FakeClock()
    directory = join(root, `shared-${tests++}`)
  })
  const window = { max: 3, perMs: 1000 }
  const open = (bootId = 'one', segmentBytes?: number) =>
    openFileLedger({
      directory,
      instance,
      clock,
      bootId,
      ...(segmentBytes === undefined ? {} : { segmentBytes }),
    })
  /** A ledger whose process comes by `onRead` whenever it reads the clock, which is in the middle of a take. */
  const openWith = (onRead: () => void) => {
    const monotonicMs = () => {
      onRead()
      return clock.monotonicMs()
    }
    const itsClock = { monotonicMs, wallMs: () => clock.wallMs(), sleep: clock.sleep.bind(clock) }
    return openFileLedger({ directory, instance, clock: itsClock, bootId: 'one' })
  }
  const folder = () => join(directory, 'ledger', instanceFolder(instance))

  async function placesLeft(ledger: Ledger): Promise<number> {
    let left = 0
    while (left < 100 && (await ledger.take([window], 5000)).slot) left++
    return left
  }

  it('counts the calls of other processes', async () => {
    const [one, other] = [await open(), await open()]
    await one.take([window], 5000)
    expect(await placesLeft(other)).toBe(2)
    expect(await placesLeft(one)).toBe(0)
  })

  it('counts the calls of a process that is gone', async () => {
    const gone = await open()
    await gone.take([window], 5000)
    const answered = await gone.take([window], 5000)
    await answered.slot?.giveBack()
    await gone.close()
    await clock.advance(999)
    expect(await placesLeft(await open())).toBe(1)
  })

  it('keeps other instances apart', async () => {
    expect(await placesLeft(await open())).toBe(3)
    const other = await openFileLedger({
      directory,
      instance: 'https://other.ada.support',
      clock,
      bootId: 'one',
    })
    expect(await placesLeft(other)).toBe(3)
  })

  it('gives the last place to one of two processes that ask at the same moment', async () => {
    const [first, second] = [await open(), await open()]
    // The clock is read between looking for room and taking it: there the other process comes in.
    let reads = 0
    const slow = await openWith(() => {
      if (++reads === 2) void second.take([window], 5000)
    })
    await first.take([window], 5000)
    await first.take([window], 5000)
    expect(await slow.take([window], 5000)).toMatchObject({ slot: null, fullWindow: window })
    expect(await second.take([{ max: 4, perMs: 1000 }], 5000)).toHaveProperty('slot.release')
    await clock.advance(6000)
    expect(await placesLeft(first)).toBe(3)
  })

  it('tries again when the process was frozen after its record was written', async () => {
    let reads = 0
    const ledger = await openWith(() => {
      if (++reads === 3) clock.freeze(5000)
    })
    const { slot } = await ledger.take([window], 5000)
    expect(slot).not.toBeNull()
    // A hold that began before the freeze would have ended by now.
    await clock.advance(1500)
    expect(await placesLeft(await open())).toBe(2)
  })

  it('ages the records of an earlier start of the host by the clock on the wall', async () => {
    const before = await open('one')
    await (await before.take([window], 5000)).slot?.giveBack()
    await clock.advance(600)
    const restarted = new FakeClock(undefined, { monotonicMs: 7, wallMs: clock.wallMs() })
    const after = await openFileLedger({ directory, instance, clock: restarted, bootId: 'two' })
    expect(await placesLeft(after)).toBe(2)
    await restarted.advance(399)
    const same = await openFileLedger({ directory, instance, clock: restarted, bootId: 'two' })
    expect(await placesLeft(same)).toBe(0)
    await restarted.advance(1)
    expect(await placesLeft(same)).toBe(1)
  })

  it('is blocked for one window at most when the wall clock went back with a restart', async () => {
    const before = await open('one')
    for (let call = 0; call < 3; call++) await (await before.take([window], 5000)).slot?.giveBack()
    const restarted = new FakeClock(undefined, { monotonicMs: 7, wallMs: clock.wallMs() - 86_400_000 })
    const after = await openFileLedger({ directory, instance, clock: restarted, bootId: 'two' })
    expect(await after.take([window], 5000)).toMatchObject({ slot: null, waitMs: 1000 })
    await restarted.advance(1000)
    expect(await placesLeft(after)).toBe(3)
  })

  it('goes by wall time where the start of the host is unknown', async () => {
    const one = await open('unknown')
    for (let call = 0; call < 3; call++) await (await one.take([window], 5000)).slot?.giveBack()
    expect(await placesLeft(await open('unknown'))).toBe(0)
    await clock.advance(1000)
    expect(await placesLeft(await open('unknown'))).toBe(3)
  })

  it('skips torn and foreign lines', async () => {
    const ledger = await open()
    await ledger.take([window], 5000)
    const torn = '\ntake torn-1 1000000.000 1763640000000 one 5000 10'
    for (const junk of [torn, '\n\n\n', 'junk', '\ntake x y z one 1 2 ;\n', `\n${'x'.repeat(200_000)}`]) {
      appendFileSync(join(folder(), '1.log'), junk)
    }
    expect(await placesLeft(ledger)).toBe(2)
    expect(await placesLeft(await open())).toBe(0)
  })

  it('stays small: segments are removed when nothing in them counts any more', async () => {
    const ledger = await open('one', 20_000)
    for (let call = 0; call < 3000; call++) {
      await (await ledger.take([window], 5000)).slot?.giveBack()
      await clock.advance(1000)
    }
    const bytes = readdirSync(folder()).map((file) => statSync(join(folder(), file)).size)
    expect(bytes.reduce((sum, size) => sum + size)).toBeLessThan(60_000)
    expect(readdirSync(join(directory, 'ledger'))).toEqual([instanceFolder(instance)])
  })

  it('keeps calls for as long as a window that somebody counts with', async () => {
    const day = { max: 10, perMs: 86_400_000 }
    const ledger = await open('one', 2000)
    for (let call = 0; call < 10; call++) await (await ledger.take([day], 5000)).slot?.giveBack()
    const other = await open('one', 2000)
    await clock.advance(80_000_000)
    for (let call = 0; call < 100; call++) await (await other.take([], 5000)).slot?.giveBack()
    expect(await (await open()).take([day], 5000)).toMatchObject({ slot: null, fullWindow: day })
  })

  it('makes the next segment when the process that sealed the last one died', async () => {
    const ledger = await open()
    await ledger.take([window], 5000)
    appendFileSync(join(folder(), '1.log'), '\nseal dead-1 1000000.000 1763640000000 one 0 0 ;\n')
    appendFileSync(join(folder(), '1.log'), '\ntake dead-2 1000000.000 1763640000000 one 5000 1000 ;\n')
    expect(await placesLeft(await open())).toBe(2)
    expect(readdirSync(folder()).sort()).toEqual(['1.log', '2.log'])
    expect(await placesLeft(ledger)).toBe(0)
  })

  it('writes again what went behind a seal, give-backs too', async () => {
    const [one, other] = [await open(), await open()]
    const taken = await one.take([window], 5000)
    appendFileSync(join(folder(), '1.log'), '\nseal dead-1 1000000.000 1763640000000 one 0 0 ;\n')
    await other.take([window], 5000)
    await taken.slot?.giveBack()
    await clock.advance(1000)
    expect(await placesLeft(other)).toBe(2)
  })

  it('is for nobody else to read', async () => {
    await open()
    expect(statSync(folder()).mode & 0o777).toBe(0o700)
    expect(statSync(join(directory, 'ledger')).mode & 0o777).toBe(0o700)
    expect(statSync(join(folder(), '1.log')).mode & 0o777).toBe(0o600)
  })

  it('says what to do when the directory cannot be written', async () => {
    writeFileSync(join(root, 'a-file'), '')
    const opening = openFileLedger({ directory: join(root, 'a-file'), instance, clock, bootId: 'one' })
    await expect(opening).rejects.toThrow(UsageError)
    await expect(opening).rejects.toThrow(/a-file.*ADA_BULK_STATE/)
  })
})
