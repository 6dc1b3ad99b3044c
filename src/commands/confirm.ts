import type { CheckpointState } from '../checkpoint/read.js'
import type { RunFile } from '../checkpoint/run-file.js'
import type { Job } from '../job.js'
import { UsageError } from '../system/errors.js'
import { counted, inDigits } from '../system/text.js'
import type { Terminal } from './terminal.js'

/** Refuses at once where there is no terminal to ask on. */
export function refuseUnasked(isConfirmed: boolean, terminal: Terminal): void {
  if (isConfirmed || terminal.isInteractive) return
  throw new UsageError(
    'there is no terminal to ask on: look with `ada-bulk plan` at what would happen, then say --yes.',
  )
}

/** The same for erasing: agreeing to end conversations is not agreeing to erase people. */
export function refuseErasingUnasked(isConfirmed: boolean, terminal: Terminal): void {
  if (isConfirmed || terminal.isInteractive) return
  throw new UsageError(
    '--erase asks for itself, and there is no terminal to ask on: --yes is for the conversations only. Try it without --erase first, then say --yes-erase as well.',
  )
}

/** Asks if more is going to be called than a person agreed to before. Returns how many items they agree to, over all executions. */
export async function confirmRest(
  { plan, follows, instance }: RunFile,
  { events, tally }: CheckpointState,
  job: Job,
  maxItems: number,
  isConfirmed: boolean,
  terminal: Terminal,
): Promise<number> {
  const before = Math.max(0, ...events.map((event) => ('confirmed' in event ? event.confirmed : 0)))
  const calls = Math.min(Math.max(0, plan.calls - tally.called), maxItems)
  if (isConfirmed) return Math.max(before, plan.calls)
  if (tally.called + calls <= before) return before
  if (follows === undefined) refuseUnasked(isConfirmed, terminal)
  else refuseErasingUnasked(isConfirmed, terminal)
  await confirm(terminal, calls, job.operation, instance)
  return tally.called + calls
}

/** Has the person type the number of items. Throws a UsageError for any other answer. */
export async function confirm(
  terminal: Terminal,
  calls: number,
  words: { verb: string; noun: string; warning?: string },
  instance: string,
): Promise<void> {
  terminal.notice(
    `\nThis will ${words.verb} ${counted(calls, words.noun)} on ${instance}. It cannot be undone.${words.warning === undefined ? '' : ` ${words.warning}`}`,
  )
  await typeNumber(terminal, calls, 'Nothing was sent.')
}

/** Has the person type a number. Throws a UsageError, which says what was not done, for any other answer. */
export async function typeNumber(terminal: Terminal, number: number, notDone: string): Promise<void> {
  const answer = await terminal.ask(`Type ${inDigits(number)} to go on, anything else to leave: `)
  if (answer.replace(/[\s,.'_]/g, '') !== String(number)) {
    throw new UsageError(
      `not confirmed: ${answer === '' ? 'no number was typed' : 'the number differs'}. ${notDone}`,
    )
  }
}
