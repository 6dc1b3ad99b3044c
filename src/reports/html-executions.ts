import type { CheckpointEvent, EndEvent, StartEvent } from '../checkpoint/checkpoint.js'

export interface Span {
  fromMs: number
  toMs: number
}

/** One process at work on the run. */
export interface Execution extends Span {
  start: StartEvent
  /** Null while it runs, and of a process that died. */
  end: EndEvent | null
}

/** Tells from events, and from when the last thing happened before each, who worked when. */
export class Executions {
  readonly list: Execution[] = []
  readonly pauses: Span[] = []

  /** Something happened. */
  seen(atMs: number): void {
    const last = this.list.at(-1)
    if (last !== undefined && last.end === null && atMs > last.toMs) last.toMs = atMs
  }

  add(event: CheckpointEvent): void {
    const atMs = Date.parse(event.at)
    switch (event.event) {
      case 'started':
      case 'resumed':
        this.list.push({ fromMs: atMs, toMs: atMs, start: event, end: null })
        break
      case 'stopped':
      case 'finished': {
        this.seen(atMs)
        const last = this.list.at(-1)
        if (last !== undefined) last.end = event
        break
      }
      case 'paused':
        this.pauses.push({ fromMs: atMs, toMs: Number.POSITIVE_INFINITY })
        break
      case 'continued': {
        const last = this.pauses.at(-1)
        if (last !== undefined) last.toMs = Math.min(last.toMs, atMs)
        break
      }
      case 'waited':
        this.seen(atMs)
        break
      case 'throttled':
      case 'input-changed':
    }
  }

  /** Null before the first start, while it runs, and where the last process died. */
  get end(): EndEvent | null {
    return this.list.at(-1)?.end ?? null
  }

  /** How long processes worked on the run. */
  get workedMs(): number {
    return this.list.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)
  }
}

/** Whether a span lies wholly within one of others. */
export function isWithin({ fromMs, toMs }: Span, others: readonly Span[]): boolean {
  return others.some((other) => other.fromMs <= fromMs && toMs <= other.toMs)
}

/** Whether a span touches one of others. */
export function touches({ fromMs, toMs }: Span, others: readonly Span[]): boolean {
  return others.some((other) => other.fromMs < toMs && fromMs < other.toMs)
}
