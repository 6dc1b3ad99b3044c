import type { LockHolder } from '../checkpoint/lock.js'

/** Says who is at work already. */
export function lockedText(job: string, instance: string, holder: LockHolder): string {
  return `ada-bulk: ${job} is running on ${instance} already: process ${holder.pid} on ${holder.host}, since ${holder.since}, in ${holder.run}. Try again when it is done; --parallel allows a second run over another input.`
}
