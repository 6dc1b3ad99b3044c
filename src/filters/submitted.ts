import type { RecentlySubmitted } from '../batches/recently-submitted.js'
import type { BatchOperation } from '../operations/operation.js'
import { type Filter, refused } from './filter.js'

/** Leaves for later who was handed over in the last seven days: one of them can make a whole job fail. */
export function notSubmittedRecently(
  recent: Pick<RecentlySubmitted, 'submittedAtMs'>,
  { identityOf }: Pick<BatchOperation, 'identityOf'>,
): Filter {
  return {
    name: 'submitted',
    judge(item) {
      const atMs = recent.submittedAtMs(identityOf(item))
      if (atMs === null) return null
      const at = new Date(atMs).toISOString()
      return refused('submitted_recently', `handed over at ${at}; Ada takes it again seven days after that`)
    },
  }
}
