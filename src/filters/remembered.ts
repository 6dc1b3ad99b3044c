import type { Memory } from '../nights/memory.js'
import { updatedMsOf } from '../record-dates.js'
import { type Filter, refused } from './filter.js'

/** Turns away what an earlier run of the job has settled, unless it was touched since and may be open again. */
export function notSettledBefore(memory: Pick<Memory, 'isSettled'>): Filter {
  return {
    name: 'memory',
    judge: (item) =>
      memory.isSettled(item.id, updatedMsOf(item.record())) ? refused('settled_before') : null,
  }
}
