import { filterFlags, filtersFrom } from '../src/filters/filter-flags.js'
import { defineJob } from '../src/job.js'
import { endConversation } from '../src/operations/end-conversation.js'

export default defineJob({
  describe: 'Every night: ends what has become stale since the last time, by the live Data Export.',
  operation: endConversation,
  flags: { ...filterFlags, idle: { describe: 'Only if not updated for so long', default: '14d' } },
  filters: filtersFrom,
  isLive: true,
  remembers: true,
  checksFirst: true,
})
