import type { Conversations } from './conversations.js'
import type { Deletions } from './deletions.js'

export interface KeptCall {
  /** When it reached the API, in milliseconds since the sandbox started. */
  atMs: number
  method: string
  path: string
  /** The conversation it was for, null where there is none. */
  id: string | null
  /** 0: the connection was dropped. */
  status: number
}

/** What has happened in the sandbox, for those who want to check on a client. */
export class SandboxState {
  /** Calls that arrived, whatever became of them. */
  arrived = 0
  /** Those of them that were for the Data Export. */
  exportCalls = 0
  /** Calls that were answered with 429. */
  rateLimited = 0
  /** Calls that had their effect, and whose answer never came. */
  answersLost = 0
  /** Those of which half an answer came. */
  answersHalved = 0
  /** 2 or more: two calls for one ID were in flight at once. */
  mostInFlightForOneId = 0
  /** In the order of arrival at the API; empty unless calls are kept. */
  readonly calls: KeptCall[] = []
  private readonly timesCalledById = new Map<string, number>()
  private readonly inFlightById = new Map<string, number>()

  constructor(
    readonly conversations: Conversations,
    readonly deletions: Deletions,
    private readonly keepCalls: boolean,
  ) {}

  /** Calls that changed something, whether or not the answer got through. */
  get acted(): number {
    return this.conversations.changes
  }

  isEnded(id: string): boolean {
    return this.conversations.isEnded(id)
  }

  timesCalled(id: string): number {
    return this.timesCalledById.get(id) ?? 0
  }

  /** Gives back how to say that the call is over, which may be said more than once. */
  arrive(id: string | null): () => void {
    this.arrived += 1
    if (id === null) return () => {}
    this.timesCalledById.set(id, this.timesCalled(id) + 1)
    const inFlight = (this.inFlightById.get(id) ?? 0) + 1
    this.inFlightById.set(id, inFlight)
    this.mostInFlightForOneId = Math.max(this.mostInFlightForOneId, inFlight)
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      const left = this.inFlightById.get(id)! - 1
      if (left === 0) this.inFlightById.delete(id)
      else this.inFlightById.set(id, left)
    }
  }

  keep(call: KeptCall): void {
    if (this.keepCalls) this.calls.push(call)
  }
}
