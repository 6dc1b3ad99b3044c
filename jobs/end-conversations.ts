import { filterFlags, filtersFrom } from '../src/filters/filter-flags.js'
import { defineJob } from '../src/job.js'
import { endConversation } from '../src/operations/end-conversation.js'

export default defineJob({
  describe: 'Ends every conversation of a list.',
  operation: endConversation,
  flags: filterFlags,
  filters: filtersFrom,
})
