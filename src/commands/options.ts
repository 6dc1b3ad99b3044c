import type { InferredOptionTypes, Options } from 'yargs'

/** Flags that several commands take, in groups. Defaults are not given to yargs: `resume` takes them from the run. */

const text = { type: 'string', requiresArg: true } as const
const texts = { type: 'string', array: true, requiresArg: true } as const

/** A run that a command is about. */
export const runArgument = { type: 'string', describe: "A run's directory or name" } as const

export const inputOptions = {
  input: { ...texts, alias: 'i', describe: 'File of IDs, repeatable; - is stdin', group: 'Input:' },
  format: { ...text, choices: ['auto', 'csv', 'json'], describe: 'auto goes by content', group: 'Input:' },
  'id-column': { ...text, describe: 'CSV column of the ID, by name or from 1', group: 'Input:' },
  'accept-truncated': {
    type: 'boolean',
    describe: 'Of a data-export file that ends too early, take what is whole',
    group: 'Input:',
  },
  hold: { ...texts, describe: 'File of IDs that are never touched, repeatable', group: 'Input:' },
} as const satisfies Record<string, Options>

export const instanceOptions = {
  'base-url': {
    ...text,
    describe: 'The instance, like https://acme.ada.support [ADA_BASE_URL]',
    group: 'Instance:',
  },
  handle: { ...text, describe: 'The instance by its handle: acme', group: 'Instance:' },
  region: { ...text, describe: 'The cluster of --handle: eu, maple, …', group: 'Instance:' },
  sandbox: {
    type: 'boolean',
    describe: 'Run against a local Ada to practise on; needs no key',
    group: 'Instance:',
  },
} as const satisfies Record<string, Options>

export const keyOptions = {
  'api-key-file': {
    ...text,
    describe: 'File that holds the API key, instead of ADA_API_KEY',
    group: 'Instance:',
  },
  'env-file': { ...text, describe: 'Read variables from a file', group: 'Instance:' },
} as const satisfies Record<string, Options>

export const pacingOptions = {
  limit: {
    ...texts,
    describe: "A window instead of Ada's own, like 30/s, 300/m, repeatable; or none",
    group: 'Pacing:',
  },
  share: { ...text, describe: 'Part of every window to use (80%)', group: 'Pacing:' },
  hours: { ...text, describe: 'Call only in this span of local time, like 22:00-06:00', group: 'Pacing:' },
  concurrency: { ...text, describe: 'Calls in flight (16)', group: 'Pacing:' },
  timeout: { ...text, describe: 'For one call (30s)', group: 'Pacing:' },
  attempts: { ...text, describe: 'Calls for one item at most (5)', group: 'Pacing:' },
} as const satisfies Record<string, Options>

export const stopOptions = {
  yes: { type: 'boolean', alias: 'y', describe: 'Do not ask', group: 'Stopping:' },
  'yes-erase': {
    type: 'boolean',
    describe: 'Of --erase: do not ask about erasing either',
    group: 'Stopping:',
  },
  'poll-for': {
    ...text,
    describe: "Ask for so long what became of Ada's deletion jobs, then stop (75) (10m)",
    group: 'Stopping:',
  },
  'max-items': { ...text, describe: 'Settle so many items by calling, then stop (75)', group: 'Stopping:' },
  'max-duration': { ...text, describe: 'Stop gently after this time (75)', group: 'Stopping:' },
  'max-failures': {
    ...text,
    describe: 'Stop (4) when more fail: a number or a percentage (25%)',
    group: 'Stopping:',
  },
  'max-outage': {
    ...text,
    describe: 'Stop (4) when the API fails every call for so long (5m)',
    group: 'Stopping:',
  },
} as const satisfies Record<string, Options>

export const checkFirstOption = {
  'check-first': {
    type: 'boolean',
    describe: 'Ask for each conversation first: leaves out who came back; twice the calls',
    group: 'Pacing:',
  },
} as const satisfies Record<string, Options>

export const liveOption = {
  live: { type: 'boolean', describe: 'Download the input from Data Export now', group: 'Data Export:' },
} as const satisfies Record<string, Options>

export const spanOptions = {
  'updated-since': {
    ...text,
    describe: 'From this moment or so long ago: 2026-01-31, 90d (364d)',
    group: 'Data Export:',
  },
  'created-since': {
    ...text,
    describe: 'The same, by when conversations were created',
    group: 'Data Export:',
  },
  to: { ...text, describe: 'Up to this moment or so long ago (now)', group: 'Data Export:' },
  'page-size': { ...text, describe: 'Records to a call, 100 to 10000 (1000)', group: 'Data Export:' },
} as const satisfies Record<string, Options>

export const changedInputOption = {
  'accept-changed-input': {
    type: 'boolean',
    describe: 'Resume although the input has changed; items are matched by their ID',
    group: 'Input:',
  },
} as const satisfies Record<string, Options>

export const placeOptions = {
  'runs-dir': { ...text, describe: 'Where runs live (runs) [ADA_BULK_RUNS]', group: 'Files:' },
} as const satisfies Record<string, Options>

export const newRunOptions = {
  'run-dir': {
    ...text,
    describe: "This run's directory, instead of one named after job and time",
    group: 'Files:',
  },
  parallel: { type: 'boolean', describe: 'Allow a run beside another of the same job', group: 'Files:' },
} as const satisfies Record<string, Options>

export const waitOption = {
  wait: {
    type: 'boolean',
    describe: 'Wait while another run holds the lock, instead of leaving (75)',
    group: 'Stopping:',
  },
} as const satisfies Record<string, Options>

export const instancesOption = {
  instances: {
    ...text,
    describe: 'CSV of instances to run the job on, side by side: base_url, key_variable, input',
    group: 'Instance:',
  },
} as const satisfies Record<string, Options>

export const pseudonymiseOption = {
  pseudonymise: {
    type: 'boolean',
    describe: 'Keep keyed hashes instead of the IDs; the key is ADA_BULK_PSEUDONYM_KEY',
    group: 'Files:',
  },
} as const satisfies Record<string, Options>

export const planOption = {
  plan: { ...text, describe: 'Run what `plan --output` has kept, if nothing changed since', group: 'Files:' },
} as const satisfies Record<string, Options>

export const jsonOption = {
  json: { type: 'boolean', describe: 'Print one JSON document on stdout', group: 'Output:' },
} as const satisfies Record<string, Options>

export const showOptions = {
  progress: {
    ...text,
    choices: ['auto', 'bar', 'plain', 'json', 'none'],
    describe: 'auto: a bar on a terminal, else a line every 10 s; json: an object a line',
    group: 'Output:',
  },
  'log-level': {
    ...text,
    describe: 'Of run.log; named here, the log also goes to stderr (info)',
    group: 'Output:',
  },
  quiet: { type: 'boolean', describe: 'No progress and no summary', group: 'Output:' },
  ...jsonOption,
} as const satisfies Record<string, Options>

/** What yargs makes of the groups. */
export type Flags<T extends Record<string, Options>> = InferredOptionTypes<T>
export type InputFlags = Flags<typeof inputOptions>
export type InstanceFlags = Flags<typeof instanceOptions>
export type KeyFlags = Flags<typeof keyOptions>
export type PacingFlags = Partial<Flags<typeof pacingOptions>> &
  Partial<Pick<Flags<typeof stopOptions>, 'max-failures' | 'max-outage'>> &
  Partial<Flags<typeof checkFirstOption>>
export type StopFlags = Flags<typeof stopOptions>
export type WaitFlag = Flags<typeof waitOption>
export type ShowFlags = Flags<typeof showOptions>
