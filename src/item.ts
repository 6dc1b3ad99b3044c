/** One thing to do: an ID, its record, and its place in the input. */
export interface Item {
  /** Position in the whole input, from 0, over all its files. */
  ordinal: number
  id: string
  /** Recorded in place of the ID by a run that keeps no IDs. */
  pseudonym?: string
  /** The input file, as the person named it, and the line in it, from 1. */
  source: string
  line: number
  /** Its fields, by name. */
  record(): Readonly<Record<string, unknown>>
}

/** The name of an item in checkpoint, report and log. */
export function nameOf({ id, pseudonym }: Pick<Item, 'id' | 'pseudonym'>): string {
  return pseudonym ?? id
}

/** The words are contract: reports and summaries have them. */
export const statuses = ['succeeded', 'failed', 'unknown', 'invalid', 'duplicate', 'filtered'] as const
export type Status = (typeof statuses)[number]

/** What became of an item. */
export interface Outcome {
  status: Status
  /** Why, as one word with underscores: `ended`, `not_found`, `on_hold`, … */
  reason: string
  /** Status code of the last answer; null when there was none. */
  httpStatus: number | null
  /** For people; cleaned and cut, may be empty. */
  message: string
}

/** One settled item: a row of the report, and a line of the checkpoint. */
export interface SettledItem extends Outcome {
  /** Position of the item in the whole input, from 0. */
  ordinal: number
  id: string
  /** Calls made for the item, earlier stops of the run included. */
  attempts: number
  /** ISO 8601, UTC. */
  finishedAt: string
  /** From the first call to the outcome, waits between attempts included; 0 when nothing was called. */
  durationMs: number
  /** The input file, as the person named it. */
  source: string
  /** Line in that file, from 1. */
  line: number
}

/** Calls that earlier executions of the run made for an item. */
export interface PriorCalls {
  calls: number
  /** One of them got no answer. */
  isAnswerLost: boolean
}

export interface Refusal {
  status: 'filtered' | 'invalid'
  /** One word with underscores: `not_stale`, `on_hold`. */
  reason: string
  message: string
}
