import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it, vi } from 'vitest'
import { openFileLedger } from '../../src/pacing/file.js'
import type { Ledger, Slot, Taken } from '../../src/pacing/ledger.js'
import type { RateWindow } from '../../src/settings/limits.js'
import { UsageError } from '../../src/system/errors.js'
import { holdMs, Killed, spansOverLimit, testModel } from './ledger-model.js'
import { seededRandom } from './seeded-random.js'

/** Between any two system calls of one process, anything may happen. */
const world = vi.hoisted(() => ({
  beforeSystemCall: (_name: string, _path?: unknown): 'whole' | 'torn' => 'whole',
}))

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>()
  const names = [
    'openSync',
    'closeSync',
    'readSync',
    'linkSync',
    'unlinkSync',
    'renameSync',
    'mkdirSync',
  ] as const
  const watched: Record<string, unknown> = {}
  for (const name of [...names, 'readdirSync', 'rmSync', 'fsyncSync'] as const) {
    watched[name] = (...args: unknown[]) => {
      world.beforeSystemCall(name, args[0])
      return (fs[name] as (...args: unknown[]) => unknown)(...args)
    }
  }
  watched.writeSync = (fileDescriptor: number, bytes: Buffer) => {
    const isWhole = world.beforeSystemCall('writeSync') === 'whole'
    return fs.writeSync(fileDescriptor, isWhole ? bytes : bytes.subarray(0, bytes.length / 2))
  }
  return { ...fs, ...watched }
})

interface Process {
  ledger: Ledger | null
  isDead: boolean
  isInside: boolean
  calls: { endMs: number; slot: Slot }[]
  triesAtMs: number
}

const root = mkdtempSync(join(tmpdir(), 'ada-bulk-model-'))
afterAll(() => {
  world.beforeSystemCall = () => 'whole'
  rmSync(root, { recursive: true, force: true })
})

/** Simulates several processes on one ledger. */
async function play(seed: number, windows: readonly RateWindow[]) {
  const random = seededRandom(seed)
  const within = (max: number) => Math.floor(random() * max)
  const directory = join(root, String(seed))
  const arrivals: number[] = []
  const opened: Ledger[] = []
  const counts = { kills: 0, freezes: 0, torn: 0, between: 0, restarts: 0, segments: 0 }
  let nowMs = 0
  let bootId = 'boot0'
  let bootedMs = -5_000_000
  let wallOffsetMs = 1_700_000_000_000
  let depth = 0
  const clock = {
    monotonicMs: () => nowMs - bootedMs,
    wallMs: () => nowMs + wallOffsetMs,
    sleep: () => Promise.reject(new Error('A ledger never waits')),
  }
  const processes: Process[] = Array.from({ length: 4 }, () => newProcess())
  let current: Process | null = null

  function newProcess(): Process {
    return { ledger: null, isDead: false, isInside: false, calls: [], triesAtMs: nowMs + within(20_000) }
  }

  world.beforeSystemCall = (name) => {
    const self = current
    if (!self) return 'whole'
    if (self.isDead) throw new Killed()
    const dice = random()
    if (dice < 0.005) {
      self.isDead = true
      counts.kills++
      throw new Killed()
    }
    if (dice < 0.01 && name === 'writeSync') {
      counts.torn++
      return 'torn'
    }
    if (dice < 0.015) {
      counts.freezes++
      nowMs += within(2 * holdMs)
    }
    if (dice < 0.2 && depth < 3) {
      const others = processes.filter(({ isInside, isDead }) => !isInside && !isDead)
      const other = others[within(others.length)]
      if (other) {
        counts.between++
        act(other)
      }
    }
    return 'whole'
  }

  /** Runs at once up to its end, as a ledger never waits; what came of it is heard later. */
  function inside<T>(self: Process, work: () => Promise<T>, then: (result: T) => void = () => {}): void {
    const outer = current
    current = self
    self.isInside = true
    depth++
    const result = work()
    depth--
    self.isInside = false
    current = outer
    const endedMs = nowMs
    pending.push(
      result.then(
        (value) => {
          if (self.isDead) return
          heardMs = endedMs
          then(value)
        },
        (error) => {
          // A full disk ends the run.
          if (error instanceof UsageError) self.isDead = true
          else if (!(error instanceof Killed)) throw error
        },
      ),
    )
  }
  const pending: Promise<void>[] = []
  let heardMs = 0

  function act(self: Process): void {
    const { ledger } = self
    const answered = self.calls.findIndex(({ endMs }) => endMs <= nowMs)
    if (!ledger) open(self)
    else if (answered >= 0) {
      const [call] = self.calls.splice(answered, 1)
      inside(self, () => call!.slot.giveBack())
    } else if (self.triesAtMs <= nowMs) {
      inside(
        self,
        () => ledger.take(windows, holdMs),
        (taken) => call(self, taken),
      )
    }
  }

  function open(self: Process): void {
    const options = { directory, instance: 'x', clock, bootId, segmentBytes: 1500 }
    inside(
      self,
      () => openFileLedger(options),
      (ledger) => {
        self.ledger = ledger
        opened.push(ledger)
      },
    )
  }

  function call(self: Process, taken: Taken): void {
    const { slot } = taken
    if (!slot) self.triesAtMs = heardMs + taken.waitMs
    else if (random() < 0.03) inside(self, () => slot.release())
    else {
      // Arrives at some moment between the start and the answer, whether its process lives or not.
      const lastsMs = within(random() < 0.1 ? 0.9 * holdMs : 5000)
      arrivals.push(heardMs + random() * lastsMs)
      self.calls.push({ endMs: heardMs + lastsMs, slot })
      self.triesAtMs = heardMs + within(2000)
    }
  }

  while (nowMs < 3_000_000) {
    nowMs += 1 + within(2000)
    if (random() < 0.001) {
      // The host starts again; the clock on the wall may have gone back.
      counts.restarts++
      for (const process of processes) process.isDead = true
      bootId = `boot${counts.restarts}`
      bootedMs = nowMs - within(100_000)
      wallOffsetMs -= random() < 0.5 ? within(10_000_000) : 0
    }
    for (const [index, process] of processes.entries()) {
      if (process.isDead) processes[index] = newProcess()
      if (random() < 0.7) act(processes[index]!)
    }
    while (pending.length > 0) await Promise.all(pending.splice(0))
  }
  current = null
  const [folder] = readdirSync(join(directory, 'ledger')).filter((name) => !name.startsWith('.'))
  counts.segments = Math.max(...readdirSync(join(directory, 'ledger', folder!)).map(Number.parseFloat))
  for (const ledger of opened) await ledger.close()
  return { arrivals, counts }
}

testModel('the ledger in files, whatever happens', 40, play)

it('a model would see a span over the limit', () => {
  expect(spansOverLimit([0, 50, 99], { max: 2, perMs: 100 })).toEqual([99])
  expect(spansOverLimit([0, 50, 100], { max: 2, perMs: 100 })).toEqual([])
})

it('a slow process does not take a segment that was removed long ago for the latest one', async () => {
  let nowMs = 0
  const clock = { monotonicMs: () => nowMs, wallMs: () => nowMs, sleep: async () => {} }
  const options = { directory: join(root, 'slow'), instance: 'x', clock, bootId: 'one', segmentBytes: 100 }
  const window = { max: 3, perMs: 1000 }
  const fast = await openFileLedger(options)
  const takeAll = () => Array.from({ length: 4 }, () => fast.take([window], 1000))
  const taken = takeAll()
  world.beforeSystemCall = (name, path) => {
    if (name === 'openSync' && String(path).endsWith('1.log')) {
      world.beforeSystemCall = () => 'whole'
      for (let times = 0; times < 3; times++) {
        nowMs += 600_000
        taken.push(...takeAll())
      }
    }
    return 'whole'
  }
  const slow = await openFileLedger(options)
  expect((await Promise.all(taken)).filter(({ slot }) => slot)).toHaveLength(4 * window.max)
  expect(await slow.take([window], 1000)).toMatchObject({ slot: null, fullWindow: window })
  await Promise.all([fast.close(), slow.close()])
})
