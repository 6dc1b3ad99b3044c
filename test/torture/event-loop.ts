import fs from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import './disk.js'
// Its layer lies below this one: what is asked of the disk at leisure is done by the functions that it watches.

/** Where the timers of a simulated process go. */
export interface Timers {
  planForClient(inMs: number, happen: () => void): () => void
  every(ms: number, tick: () => void): () => void
}

type Callback = (...all: unknown[]) => void

const { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate } = globalThis
const opened = promises.open
let current: EventLoop | null = null

/**
 * The event loop of a simulated process. Timers wait for simulated time, and what works on files is done when it is
 * its turn: so beside promises there is nothing that could be under way unseen, and the same choices give the same run.
 */
export class EventLoop {
  readonly #roll: () => number
  readonly #timers: Timers
  #due: (() => void)[] = []

  /** `roll` chooses what comes first of all that could, from 0 to 1. */
  constructor(roll: () => number, timers: Timers) {
    this.#roll = roll
    this.#timers = timers
  }

  /** The process of the simulation is this one, until it is over. */
  begin(): void {
    if (current !== null) throw new Error('Another simulation is under way already')
    current = this
  }

  end(): void {
    current = null
  }

  /** Soon, without time passing. */
  later(happen: () => void): void {
    this.#due.push(happen)
  }

  /** Resolves when nothing is left to do but what waits for time to pass. */
  async quiet(): Promise<void> {
    for (;;) {
      // When it comes, all promises that could go on have done so.
      await new Promise((resolve) => setImmediate(resolve))
      if (this.#due.length === 0) return
      const [next] = this.#due.splice(Math.floor(this.#roll() * this.#due.length), 1)
      next!()
    }
  }

  timer(happen: () => void, ms: number | undefined): Timer {
    // As Node has it.
    return new Timer(this.#timers.planForClient(ms !== undefined && ms >= 1 ? ms : 1, happen))
  }

  ticker(tick: () => void, ms: number | undefined): Timer {
    return new Timer(this.#timers.every(ms !== undefined && ms >= 1 ? ms : 1, tick))
  }
}

/** What `setTimeout` gives back. */
class Timer {
  constructor(readonly forget: () => void) {}

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  hasRef(): boolean {
    return true
  }
}

const forgetting =
  <T>(original: (timer: T) => void) =>
  (timer: T) =>
    timer instanceof Timer ? timer.forget() : original(timer)

Object.assign(globalThis, {
  setTimeout: like(setTimeout, (happen: Callback, ms?: number, ...all: unknown[]) =>
    current === null ? setTimeout(happen, ms, ...all) : current.timer(() => happen(...all), ms),
  ),
  setInterval: like(setInterval, (happen: Callback, ms?: number, ...all: unknown[]) =>
    current === null ? setInterval(happen, ms, ...all) : current.ticker(() => happen(...all), ms),
  ),
  setImmediate: like(setImmediate, (happen: Callback, ...all: unknown[]) =>
    current === null ? setImmediate(happen, ...all) : current.later(() => happen(...all)),
  ),
  clearTimeout: forgetting(clearTimeout),
  clearInterval: forgetting(clearInterval),
  clearImmediate,
})

/** With what else the original has, such as the form that gives a promise. */
function like(original: object, replacement: object): object {
  return Object.defineProperties(replacement, Object.getOwnPropertyDescriptors(original))
}

for (const name of ['open', 'read', 'write', 'writev', 'close'] as const) {
  const original = fs[name] as Callback
  const now = () => (name === 'writev' ? writeAll : fs[`${name}Sync`]) as (...all: unknown[]) => unknown
  Object.assign(fs, {
    [name]: (...all: unknown[]) => {
      if (current === null) return original(...all)
      const done = all.pop() as Callback
      current.later(() => {
        let result: unknown
        try {
          result = now()(...all)
        } catch (error) {
          return done(error)
        }
        done(null, result, all[1])
      })
    },
  })
}

/** One by one, as the disk's layer looks at writes. */
function writeAll(file: number, buffers: readonly Uint8Array[]): number {
  return buffers.reduce((sum, buffer) => sum + fs.writeSync(file, buffer), 0)
}

Object.assign(promises, {
  open: async (...all: Parameters<typeof opened>) => {
    if (current === null) return opened(...all)
    const [path, flags = 'r', mode] = all
    const file = await soon(() => fs.openSync(path, flags, mode))
    return {
      fd: file,
      stat: () => soon(() => fs.fstatSync(file)),
      read: (buffer: Buffer, offset: number, length: number) =>
        soon(() => ({ bytesRead: fs.readSync(file, buffer, offset, length, null), buffer })),
      close: () => soon(() => fs.closeSync(file)),
    }
  },
})

function soon<T>(work: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    current!.later(() => {
      try {
        resolve(work())
      } catch (error) {
        reject(error)
      }
    })
  })
}

syncBuiltinESMExports()
