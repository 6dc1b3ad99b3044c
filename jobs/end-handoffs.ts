import { filterFlags, filtersFrom } from '../src/filters/filter-flags.js'
import { defineJob } from '../src/job.js'
import { endHandoff } from '../src/operations/end-handoff.js'

export default defineJob({
  describe: 'Gives conversations that are stuck with a person back to the AI agent.',
  operation: endHandoff,
  flags: filterFlags,
  filters: filtersFrom,
})
