/** The library: for custom job files, and for programs that run jobs themselves. */

export type { Summary } from './checkpoint/summary.js'
export { filterFlags, filtersFrom } from './filters/filter-flags.js'
export type { Item, Outcome, Refusal, SettledItem, Status } from './item.js'
export {
  type AnyOperation,
  type Api,
  type ApiAnswer,
  type ApiRequest,
  type Attempt,
  type Batch,
  type BatchOperation,
  defineJob,
  type Filter,
  type FilterContext,
  type Job,
  type JobFlag,
  type JobFlags,
  type Operation,
  type Verdict,
} from './job.js'
export type { RunView } from './monitor/view.js'
export { settledBy, verdictOf } from './operations/answer.js'
export { endConversation } from './operations/end-conversation.js'
export { endHandoff } from './operations/end-handoff.js'
export { eraseEndUsers } from './operations/erase-end-users.js'
export { conversationLimits } from './operations/limits.js'
export type { Report } from './reports/report.js'
export { type RunJobOptions, runJob } from './runs/run-job.js'
export type { RateWindow } from './settings/limits.js'
export type { Source, SourceRow } from './sources/source.js'
export { UsageError } from './system/errors.js'
