import { FakeClock } from '../fake-clock.js'

/** Something that happens at a time of the simulation, from its begin. */
interface Planned {
  atMs: number
  happen: () => void | Promise<void>
}

const longestMs = 3 * 86_400_000
const idleMax = 1000

/** The caller's host and the server, each with a clock of its own; time passes only as far as nothing is left to do. */
export class SimulatedTime {
  readonly client: FakeClock
  readonly server: FakeClock
  #planned: Planned[] = []
  #nowMs = 0

  constructor(quiet: () => Promise<void>) {
    this.client = new FakeClock(quiet)
    this.server = new FakeClock(quiet)
  }

  get nowMs(): number {
    return this.#nowMs
  }

  /** `inMs` from now. Returns how to forget it. */
  plan(inMs: number, happen: Planned['happen']): () => void {
    const planned = { atMs: this.#nowMs + inMs, happen }
    this.#planned.push(planned)
    this.#planned.sort((a, b) => a.atMs - b.atMs)
    return () => {
      this.#planned = this.#planned.filter((other) => other !== planned)
    }
  }

  async pass(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms
    while (this.#planned.length > 0 && this.#planned[0]!.atMs <= endMs) {
      const { atMs, happen } = this.#planned.shift()!
      await this.#advance(Math.max(0, atMs - this.#nowMs))
      await happen()
    }
    await this.#advance(Math.max(0, endMs - this.#nowMs))
  }

  /** The caller stands still, the server does not. */
  async freeze(ms: number): Promise<void> {
    this.client.freeze(ms)
    await this.server.advance(ms)
    this.#nowMs += ms
  }

  /** Lets time pass until the work is done. Throws when it never will be. */
  async until(work: Promise<unknown>): Promise<void> {
    let isDone = false
    const settled = work.then(
      () => (isDone = true),
      () => (isDone = true),
    )
    const deadlineMs = this.#nowMs + longestMs
    await this.client.settle()
    for (let idle = 0; !isDone; ) {
      const next = [this.client.nextMs, this.server.nextMs, this.#plannedInMs()].filter((ms) => ms !== null)
      if (next.length > 0 && this.#nowMs <= deadlineMs) {
        idle = 0
        await this.pass(Math.max(0, Math.min(...next)))
      } else if (idle++ < idleMax) {
        // What is loaded when it is first needed is seen by nobody.
        await new Promise((resolve) => setTimeout(resolve, 5))
      } else throw new Hang(this.#nowMs > deadlineMs)
    }
    await settled
  }

  #plannedInMs(): number | null {
    const first = this.#planned[0]
    return first === undefined ? null : Math.max(0, first.atMs - this.#nowMs)
  }

  async #advance(ms: number): Promise<void> {
    // An answer of the server's must not come before its time to a caller whose clock is behind.
    this.client.freeze(ms)
    await this.server.advance(ms)
    await this.client.advance(0)
    this.#nowMs += ms
  }
}

/** The run waits for nothing and does not end, or does not end in days. */
export class Hang extends Error {
  constructor(isForDays: boolean) {
    super(isForDays ? 'the run does not end' : 'the run waits for nothing')
  }
}

/**
 * Resolves when this process has nothing left to do but what waits for simulated time: no file is being read, and no
 * timer runs that belongs to the run. Timers of others, like those of a test, run all the time.
 */
export function quietProcess(): () => Promise<void> {
  const busy = () =>
    process.getActiveResourcesInfo().filter((kind) => /^(FS|Timeout|Immediate|Zlib)/i.test(kind)).length
  let others = busy()
  return async () => {
    for (let rounds = 0; rounds < roundsMax; rounds++) {
      for (let round = 0; round < 2; round++) await new Promise((resolve) => setImmediate(resolve))
      const now = busy()
      // What was left over from an earlier run has ended by now.
      if (now < others) others = now
      if (now === others) return
    }
  }
}

const roundsMax = 200_000
