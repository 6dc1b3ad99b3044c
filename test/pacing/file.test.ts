import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { openFileLedger } from '../../src/pacing/file.js'
import { instanceFolder } from '../../src/pacing/ledger.js'
import { UsageError } from '../../src/system/errors.js'
import { FakeClock } from '../fake-clock.js'
import { slotsLeft, testLedgerContract, testSharedLedger } from './ledger-contract.js'

const root = mkdtempSync(join(tmpdir(), 'ada-bulk-ledger-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const instance = 'https://acme.ada.support'
let directory = ''
let tests = 0

testLedgerContract('files', async (clock) =>
  openFileLedger({ directory: join(root, `contract-${tests++}`), instance, clock, bootId: 'one' }),
)
testLedgerContract('files with a segment for every call', async (clock) =>
  openFileLedger({
    directory: join(root, `contract-${tests++}`),
    instance,
    clock,
    bootId: 'one',
    segmentBytes: 0,
  }),
)

for (const segmentBytes of [256 * 1024, 2000])
  testSharedLedger(`files with segments of ${segmentBytes} bytes`, (clock, nth, instance) =>
    openFileLedger({
      directory: join(root, `shared-${segmentBytes}-${nth}`),
      instance,
      clock,
      bootId: 'one',
      segmentBytes,
    }),
  )

describe('the ledger in files', () => {
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
  /** A ledger that calls `onRead` whenever it reads the clock, which is in the middle of a take. */
  const openWith = (onRead: () => void) => {
    const monotonicMs = () => {
      onRead()
      return clock.monotonicMs()
    }
    const itsClock = { monotonicMs, wallMs: () => clock.wallMs(), sleep: clock.sleep.bind(clock) }
    return openFileLedger({ directory, instance, clock: itsClock, bootId: 'one' })
  }
  const folder = () => join(directory, 'ledger', instanceFolder(instance))

  it('gives the last slot to one of two processes that ask at the same moment', async () => {
    const [first, second] = [await open(), await open()]
    // The clock is read between looking for room and taking it: the other process takes its slot there.
    let reads = 0
    const slow = await openWith(() => {
      if (++reads === 2) void second.take([window], 5000)
    })
    await first.take([window], 5000)
    await first.take([window], 5000)
    expect(await slow.take([window], 5000)).toMatchObject({ slot: null, fullWindow: window })
    expect(await second.take([{ max: 4, perMs: 1000 }], 5000)).toHaveProperty('slot.release')
    await clock.advance(6000)
    expect(await slotsLeft(first, window)).toBe(3)
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
    expect(await slotsLeft(await open(), window)).toBe(2)
  })

  it('ages the records of an earlier start of the host by the wall clock', async () => {
    const before = await open('one')
    await (await before.take([window], 5000)).slot?.giveBack()
    await clock.advance(600)
    const restarted = new FakeClock(undefined, { monotonicMs: 7, wallMs: clock.wallMs() })
    const after = await openFileLedger({ directory, instance, clock: restarted, bootId: 'two' })
    expect(await slotsLeft(after, window)).toBe(2)
    await restarted.advance(399)
    const same = await openFileLedger({ directory, instance, clock: restarted, bootId: 'two' })
    expect(await slotsLeft(same, window)).toBe(0)
    await restarted.advance(1)
    expect(await slotsLeft(same, window)).toBe(1)
  })

  it('is blocked for one window at most when the wall clock went back with a restart', async () => {
    const before = await open('one')
    for (let call = 0; call < 3; call++) await (await before.take([window], 5000)).slot?.giveBack()
    const restarted = new FakeClock(undefined, { monotonicMs: 7, wallMs: clock.wallMs() - 86_400_000 })
    const after = await openFileLedger({ directory, instance, clock: restarted, bootId: 'two' })
    expect(await after.take([window], 5000)).toMatchObject({ slot: null, waitMs: 1000 })
    await restarted.advance(1000)
    expect(await slotsLeft(after, window)).toBe(3)
  })

  it('uses wall time where the start of the host is unknown', async () => {
    const one = await open('unknown')
    for (let call = 0; call < 3; call++) await (await one.take([window], 5000)).slot?.giveBack()
    expect(await slotsLeft(await open('unknown'), window)).toBe(0)
    await clock.advance(1000)
    expect(await slotsLeft(await open('unknown'), window)).toBe(3)
  })

  it('skips torn and foreign lines', async () => {
    const ledger = await open()
    await ledger.take([window], 5000)
    const torn = '\ntake torn-1 1000000.000 1763640000000 one 5000 10'
    for (const junk of [torn, '\n\n\n', 'junk', '\ntake x y z one 1 2 ;\n', `\n${'x'.repeat(200_000)}`]) {
      appendFileSync(join(folder(), '1.log'), junk)
    }
    expect(await slotsLeft(ledger, window)).toBe(2)
    expect(await slotsLeft(await open(), window)).toBe(0)
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

  it('makes the next segment when the process that sealed the last one died', async () => {
    const ledger = await open()
    await ledger.take([window], 5000)
    appendFileSync(join(folder(), '1.log'), '\nseal dead-1 1000000.000 1763640000000 one 0 0 ;\n')
    appendFileSync(join(folder(), '1.log'), '\ntake dead-2 1000000.000 1763640000000 one 5000 1000 ;\n')
    expect(await slotsLeft(await open(), window)).toBe(2)
    expect(readdirSync(folder()).sort()).toEqual(['1.log', '2.log'])
    expect(await slotsLeft(ledger, window)).toBe(0)
  })

  it('counts the calls of a ledger that version 0.1 left, sealed and rewritten', async () => {
    const at = (agoMs: number) => `${clock.monotonicMs() - agoMs}.000 ${clock.wallMs() - agoMs} one`
    const lines = [
      `window a1b2-7 ${at(400)} 0 86400000 ;`,
      `take a1b2-3 ${at(400)} 5000 0 ;`,
      `end a1b2-8 ${at(900)} 0 0 ;`,
      `end a1b2-9 ${at(1100)} 0 0 ;`,
    ]
    mkdirSync(folder(), { recursive: true })
    writeFileSync(join(folder(), '3.log'), lines.map((line) => `\n${line}\n`).join(''))
    const ledger = await open()
    expect(await ledger.take([{ max: 2, perMs: 1000 }], 5000)).toMatchObject({ slot: null, waitMs: 100 })
    expect(await ledger.take([{ max: 3, perMs: 86_400_000 }], 5000)).toMatchObject({ slot: null })
    expect(readdirSync(folder())).toEqual(['3.log'])
  })

  it('writes records behind a seal again, ends of calls too', async () => {
    const [one, other] = [await open(), await open()]
    const taken = await one.take([window], 5000)
    appendFileSync(join(folder(), '1.log'), '\nseal dead-1 1000000.000 1763640000000 one 0 0 ;\n')
    await other.take([window], 5000)
    await taken.slot?.giveBack()
    await clock.advance(1000)
    expect(await slotsLeft(other, window)).toBe(2)
  })

  it('cannot be read by other users', async () => {
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
