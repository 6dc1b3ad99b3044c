import { filterFlags, filtersFrom } from '../src/filters/filter-flags.js'
import { defineJob } from '../src/job.js'
import { endConversation } from '../src/operations/end-conversation.js'

export default defineJob({
  describe: 'Ends every conversation from before a date; with --erase, erases the end users behind them.',
  operation: endConversation,
  flags: {
    ...filterFlags,
    'created-before': { ...filterFlags['created-before'], isRequired: true },
    erase: {
      describe: 'Then erase the end users whose conversations are all ended, for good',
      isSwitch: true,
    },
  },
  filters: filtersFrom,
  mayErase: true,
})
