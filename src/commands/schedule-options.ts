import type { Options } from 'yargs'
import { type Flags, instancesOption } from './options.js'
import { runOptions } from './run-options.js'

const text = { type: 'string', requiresArg: true, group: 'Schedule:' } as const

const { 'dry-run': _, ...ofOneInstance } = runOptions
const taskOptions = { ...ofOneInstance, ...instancesOption }

/** The flags of `run` that go into what is started; a plan needs no schedule. */
export { taskOptions }

/** Those that say how it is started. */
export const scheduleOptions = {
  at: { ...text, describe: "A time of day, or a crontab's five fields: '0 3 * * mon-fri' (03:00)" },
  name: { ...text, describe: 'Of the unit or the CronJob (ada-bulk-<job>)' },
  output: { ...text, describe: 'Write the files into this directory instead of printing them' },
  image: { ...text, describe: 'kubernetes: the container image (ada-bulk, of this version)' },
  namespace: { ...text, describe: 'kubernetes: where the CronJob lives' },
  'volume-claim': { ...text, describe: 'kubernetes: claim of the volume for inputs and runs (ada-bulk)' },
  secret: { ...text, describe: 'kubernetes: the Secret that holds ADA_API_KEY (ada-bulk)' },
  ...taskOptions,
} as const satisfies Record<string, Options>

export type ScheduleFlags = Flags<typeof scheduleOptions> & { job: string; erase?: boolean }
