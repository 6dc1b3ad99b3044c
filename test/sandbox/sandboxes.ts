import * as ada from '../../src/sandbox/ada.js'
import type { AnsweredCall, CallObserver } from '../../src/sandbox/middleware.js'
import * as server from '../../src/sandbox/server.js'

export type KeptCall = Omit<AnsweredCall, 'spoilt'>

export interface SandboxOptions extends server.SandboxOptions {
  /** Remember each call in `state.calls`. Off by default: a million calls take memory. */
  keepCalls?: boolean
}

export interface Sandbox {
  url: string
  state: SandboxState
  close(): Promise<void>
}

/** What has happened in a sandbox. */
export class SandboxState implements CallObserver {
  conversations!: ada.Ada['conversations']
  deletions!: ada.Ada['deletions']
  /** Calls that arrived, whatever came of them. */
  arrived = 0
  rateLimited = 0
  /** Calls that had their effect, and whose answer never came. */
  answersLost = 0
  answersHalved = 0
  /** 2 or more: two calls for one ID were in flight at once. */
  mostInFlightForOneId = 0
  /** In the order of arrival at the API. */
  readonly calls: KeptCall[] = []
  readonly #timesCalled = new Map<string, number>()
  readonly #inFlight = new Map<string, number>()
  readonly #keepCalls: boolean

  constructor(keepCalls: boolean) {
    this.#keepCalls = keepCalls
  }

  /** Calls that changed something, whether or not the answer got through. */
  get acted(): number {
    return this.conversations.changes
  }

  isEnded(id: string): boolean {
    return this.conversations.isEnded(id)
  }

  timesCalled(id: string): number {
    return this.#timesCalled.get(id) ?? 0
  }

  arrive(id: string | null): () => void {
    this.arrived += 1
    if (id === null) return () => {}
    this.#timesCalled.set(id, this.timesCalled(id) + 1)
    const inFlight = (this.#inFlight.get(id) ?? 0) + 1
    this.#inFlight.set(id, inFlight)
    this.mostInFlightForOneId = Math.max(this.mostInFlightForOneId, inFlight)
    let isOver = false
    return () => {
      if (!isOver) this.#inFlight.set(id, this.#inFlight.get(id)! - 1)
      isOver = true
    }
  }

  answered({ spoilt, ...call }: AnsweredCall): void {
    if (call.status === 429) this.rateLimited += 1
    if (spoilt === 'lost') this.answersLost += 1
    if (spoilt === 'halved') this.answersHalved += 1
    if (this.#keepCalls) this.calls.push(call)
  }
}

/** A sandbox that tells what has happened in it. */
export async function startSandbox({ keepCalls = false, ...options }: SandboxOptions = {}): Promise<Sandbox> {
  const state = new SandboxState(keepCalls)
  const { url, close, conversations, deletions } = await server.startSandbox(options, state)
  return { url, close, state: Object.assign(state, { conversations, deletions }) }
}

/** The same without a network. */
export function createAda({ keepCalls = false, ...options }: SandboxOptions = {}) {
  const state = new SandboxState(keepCalls)
  const { handlers, conversations, deletions } = ada.createAda(options, state)
  return { handlers, state: Object.assign(state, { conversations, deletions }) }
}
