import { afterEach } from 'vitest'
import type { Clock } from '../../src/system/clock.js'
import { type Sandbox, type SandboxOptions, startSandbox } from './sandboxes.js'

const open: Sandbox[] = []

/** A sandbox that is closed after the test. */
export async function sandboxWith(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox(options)
  open.push(sandbox)
  return sandbox
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((sandbox) => sandbox.close()))
})

export interface Received {
  /** 0: the connection broke before there was an answer. */
  status: number
  /** Null: the connection broke before it was whole. */
  text: string | null
  headers: Headers
}

/** One call over real HTTP, with the right key unless told otherwise. */
export async function call(
  sandbox: Sandbox,
  method: string,
  path: string,
  init: RequestInit = {},
): Promise<Received> {
  try {
    const response = await fetch(`${sandbox.url}${path}`, {
      method,
      headers: { authorization: 'Bearer sandbox-key' },
      redirect: 'manual',
      ...init,
    })
    const text = await response.text().catch(() => null)
    return { status: response.status, text, headers: response.headers }
  } catch {
    return { status: 0, text: null, headers: new Headers() }
  }
}

export function end(sandbox: Sandbox, id: string, init: RequestInit = {}): Promise<Received> {
  return call(sandbox, 'POST', `/api/v2/conversations/${id}/end/`, init)
}

/** True-to-life IDs, all different. */
export function conversationIds(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `66f0b7d2${index.toString(16).padStart(16, '0')}`)
}

/** Time that stands still until it is moved. `wallMs` begins on a full minute. */
export class StillClock implements Clock {
  private passedMs = 0
  private sleepers: { endMs: number; wake: () => void }[] = []

  wallMs(): number {
    return Date.UTC(2026, 10, 2, 9, 30) + this.passedMs
  }

  monotonicMs(): number {
    return 5_000_000 + this.passedMs
  }

  sleep(ms: number): Promise<void> {
    return new Promise((wake) => this.sleepers.push({ endMs: this.passedMs + ms, wake }))
  }

  get asleep(): number {
    return this.sleepers.length
  }

  /** Moves on until it is settled. */
  async passUntilSettled<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false
    const settled = promise.finally(() => {
      isSettled = true
    })
    await until(() => {
      this.pass(1)
      return isSettled
    })
    return settled
  }

  pass(ms: number): void {
    this.passedMs += ms
    const due = this.sleepers.filter(({ endMs }) => endMs <= this.passedMs)
    this.sleepers = this.sleepers.filter(({ endMs }) => endMs > this.passedMs)
    for (const { wake } of due) wake()
  }
}

/** Gives the network its turns until something is true; fails the test by its time-out if it never is. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve))
}
