import { filterFlags, filtersFrom } from '../src/filters/filter-flags.js'
import { defineJob } from '../src/job.js'
import { endConversation } from '../src/operations/end-conversation.js'

export default defineJob({
  describe: 'Ends the conversations that nobody has touched for a while.',
  operation: endConversation,
  flags: { ...filterFlags, idle: { describe: 'Only if not updated for so long', default: '14d' } },
  filters: filtersFrom,
})
