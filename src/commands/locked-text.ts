import type { LockHolder } from '../runs/lock-file.js'

/** Says who is at work already. */
export function lockedText(job: string, instance: string, holder: LockHolder, isWaiting = false): string {
  const { pid, host, since, run } = holder
  const next = isWaiting
    ? 'Waiting until it is done.'
    : 'Try again when it is done, or let --wait do that; --parallel allows a second run over another input.'
  return `ada-bulk: ${job} is running on ${instance} already: process ${pid} on ${host}, since ${since}, in ${run}. ${next}`
}
