import { noticeOptions } from './notice-options.js'
import {
  changedInputOption,
  checkFirstOption,
  inputOptions,
  instanceOptions,
  keyOptions,
  liveOption,
  newRunOptions,
  pacingOptions,
  placeOptions,
  pseudonymiseOption,
  showOptions,
  spanOptions,
  stopOptions,
  waitOption,
} from './options.js'
import { redisOptions } from './redis-options.js'

/** The flags of `run`; `plan` takes the same. */
export const runOptions = {
  ...inputOptions,
  ...instanceOptions,
  ...keyOptions,
  ...pacingOptions,
  ...redisOptions,
  ...stopOptions,
  ...placeOptions,
  ...newRunOptions,
  ...pseudonymiseOption,
  ...liveOption,
  ...spanOptions,
  ...checkFirstOption,
  ...changedInputOption,
  ...noticeOptions,
  ...showOptions,
  ...waitOption,
  continue: {
    type: 'boolean',
    describe: 'Resume an unfinished run of this job instead, if there is one',
    group: 'Stopping:',
  },
  'dry-run': { type: 'boolean', describe: 'The same as `plan`', group: 'Stopping:' },
} as const
