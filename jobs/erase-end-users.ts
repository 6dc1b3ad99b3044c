import { identifierColumns, identifierFilters, identifierFlags } from '../src/filters/identifiers.js'
import { defineJob } from '../src/job.js'
import { eraseEndUsers } from '../src/operations/erase-end-users.js'

export default defineJob({
  describe: 'Erases the end users of a list of identifiers, for good.',
  operation: eraseEndUsers,
  flags: identifierFlags,
  filters: identifierFilters,
  idColumns: identifierColumns,
})
