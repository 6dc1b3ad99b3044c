import type { Job } from '../job.js'
import { confirm, refuseUnasked } from './confirm.js'
import { refuseErasingUnasked } from './erase-after.js'
import type { Current } from './input-as-it-is.js'
import type { ResumeFlags } from './resume.js'
import type { Shell } from './shell.js'

/** Asks if more is going to be called than was agreed to before; returns what is agreed to now, over all executions. */
export async function confirmRest(
  { run, state }: Current,
  job: Job,
  maxItems: number,
  flags: ResumeFlags,
  shell: Shell,
): Promise<number> {
  const { events, tally } = state
  const before = Math.max(0, ...events.map((event) => ('confirmed' in event ? event.confirmed : 0)))
  const calls = Math.min(Math.max(0, run.plan.calls - tally.called), maxItems)
  if (run.follows === undefined ? flags.yes : flags['yes-erase']) return Math.max(before, run.plan.calls)
  if (tally.called + calls <= before) return before
  if (run.follows === undefined) refuseUnasked(flags.yes, shell)
  else refuseErasingUnasked(flags, shell)
  await confirm(shell, calls, job.operation, run.instance)
  return tally.called + calls
}
