import { section } from './setting.js'

const newRun = ['run', 'plan', 'schedule'] as const
const anyRun = [...newRun, 'resume', 'retry'] as const
const ofRuns = [...anyRun, 'status', 'pause', 'continue', 'throttle', 'report', 'verify', 'prune'] as const

/**
 * Every flag of every command, one row each. Types, help, defaults, validation, the settings that a run keeps, what
 * `resume` may change, what `schedule` passes on and completion are derived from the rows.
 */
export const sections = [
  section('Input:', newRun, {
    input: { kind: 'file', isList: true, alias: 'i', help: 'File of IDs; - is stdin' },
  }),
  section('Input:', ['verify'], {
    input: { kind: 'file', isList: true, alias: 'i', help: 'File of which every ID must have one outcome' },
  }),
  section('Input:', [...newRun, 'verify'], {
    format: {
      kind: 'choice',
      choices: ['auto', 'csv', 'json'],
      default: 'auto',
      keptAs: 'format',
      isFixed: true,
      help: 'auto goes by content',
    },
    'id-column': {
      kind: 'text',
      placeholder: 'NAME|N',
      keptAs: 'idColumn',
      isFixed: true,
      help: 'CSV column of the ID, by name or from 1',
    },
  }),
  section('Input:', newRun, {
    'accept-truncated': {
      kind: 'switch',
      keptAs: 'acceptTruncated',
      isFixed: true,
      help: 'Accept the complete records of a truncated data-export file',
    },
  }),
  section('Input:', [...newRun, 'retry'], {
    hold: { kind: 'file', isList: true, help: 'File of IDs that are never touched' },
    'hold-column': { kind: 'text', placeholder: 'NAME|N', keptAs: 'holdColumn', help: 'Their ID column' },
    'accept-odd-hold': { kind: 'switch', keptAs: 'acceptsOddHold', help: 'Even if a row can match no ID' },
  }),
  section('Instance:', [...newRun, 'export', 'doctor'], {
    'base-url': { kind: 'url', variable: 'ADA_BASE_URL', help: 'The instance: https://acme.ada.support' },
    handle: { kind: 'text', placeholder: 'HANDLE', help: 'The instance by its handle: acme' },
    region: { kind: 'text', placeholder: 'REGION', help: 'The cluster of --handle: eu, maple, …' },
    sandbox: { kind: 'switch', help: 'Run against a local Ada to practise on; needs no key' },
  }),
  section('Instance:', [...anyRun, 'export', 'doctor'], {
    'api-key-file': { kind: 'file', help: 'File that holds the API key, instead of ADA_API_KEY' },
    'env-file': { kind: 'file', help: 'Read variables from a file' },
  }),
  section('Pacing:', [...anyRun, 'export'], {
    'api-limit': { kind: 'limits', keptAs: 'limits', help: 'What Ada allows, if not as published; or none' },
  }),
  section('Pacing:', [...anyRun, 'export', 'throttle'], {
    limit: { kind: 'caps', keptAs: 'caps', help: 'Your own cap on top, without the share: 5/s, 5000/h' },
    share: {
      kind: 'share',
      default: '80%',
      keptAs: 'share',
      help: "Part of Ada's windows, or a timetable of it",
    },
  }),
  section('Pacing:', [...anyRun, 'export'], {
    hours: { kind: 'hours', keptAs: 'hours', help: 'Call only in this span of local time, like 22:00-06:00' },
    concurrency: { kind: 'count', most: 1000, default: '16', keptAs: 'concurrency', help: 'Calls in flight' },
    // Node's timers fire at once when they are asked to wait for longer than 24 days.
    timeout: { kind: 'duration', most: 3_600_000, default: '30s', keptAs: 'timeoutMs', help: 'For one call' },
    attempts: {
      kind: 'count',
      most: 100,
      default: '5',
      keptAs: 'attemptsMax',
      help: 'Calls for an item at most',
    },
  }),
  section('Pacing:', [...anyRun, 'export', 'doctor'], {
    'redis-url': {
      kind: 'url',
      variable: 'ADA_BULK_REDIS_URL',
      help: 'Share the windows and locks with other hosts over Redis',
    },
  }),
  section('Pacing:', [...anyRun, 'export'], {
    'redis-timeout': { kind: 'duration', default: '5m', help: 'Stop (75) when Redis is away for so long' },
  }),
  section('Stopping:', [...anyRun, 'prune'], { yes: { kind: 'switch', alias: 'y', help: 'Do not ask' } }),
  section('Stopping:', anyRun, {
    'yes-erase': { kind: 'switch', help: 'With --erase: do not ask about erasing either' },
    'poll-for': {
      kind: 'duration',
      least: 0,
      default: '10m',
      help: "Ask for so long what became of Ada's deletion jobs, then stop (75)",
    },
    'max-items': { kind: 'count', help: 'Settle so many items by calling, then stop (75)' },
    'max-duration': { kind: 'duration', help: 'Stop gently after this time (75)' },
    'max-failures': {
      kind: 'failures',
      default: '25%',
      keptAs: 'maxFailures',
      help: 'Stop (4) when more fail: a number or a percentage',
    },
    'max-outage': {
      kind: 'duration',
      default: '5m',
      keptAs: 'maxOutageMs',
      help: 'Stop (4) when the API fails every call for so long',
    },
    wait: { kind: 'switch', help: 'Wait while another run holds the lock, instead of leaving (75)' },
  }),
  section('Files:', [...ofRuns, 'doctor'], {
    'runs-dir': { kind: 'directory', default: 'runs', variable: 'ADA_BULK_RUNS', help: 'Where runs live' },
  }),
  section('Files:', [...newRun, 'retry'], {
    'run-dir': { kind: 'directory', help: "This run's directory, instead of one named after job and time" },
    parallel: { kind: 'switch', help: 'Allow a run beside another of the same job' },
  }),
  section('Files:', newRun, {
    pseudonymise: {
      kind: 'switch',
      help: 'Keep keyed hashes instead of the IDs; the key is ADA_BULK_PSEUDONYM_KEY',
    },
  }),
  section('Data Export:', newRun, {
    live: { kind: 'switch', help: 'Download the input from Data Export now' },
  }),
  section('Data Export:', [...newRun, 'export'], {
    'updated-since': {
      kind: 'moment',
      default: '364d',
      help: 'From a moment, or so long ago: 2026-01-31, 90d',
    },
    'created-since': { kind: 'moment', help: 'The same, by when conversations were created' },
    to: { kind: 'moment', otherwise: 'now', help: 'Up to this moment or so long ago' },
    'page-size': { kind: 'count', least: 100, most: 10_000, default: '1000', help: 'Records to a call' },
  }),
  section('Pacing:', newRun, {
    'check-first': {
      kind: 'switch',
      keptAs: 'checkFirst',
      help: 'Look at each conversation first, and leave out the active ones; twice the calls',
    },
  }),
  section('Input:', [...newRun, 'resume'], {
    'accept-changed-input': {
      kind: 'switch',
      help: 'Resume although the input has changed; items are matched by their ID',
    },
  }),
  section('Input:', [...newRun, 'resume'], {
    'accept-damaged-record': {
      kind: 'switch',
      help: 'Resume although lines of the checkpoint are damaged; they are left out, and their items may be called again',
    },
  }),
  section('Notifications:', anyRun, {
    notify: {
      kind: 'url',
      isList: true,
      variable: 'ADA_BULK_NOTIFY',
      help: 'POST how a run ends, and that the API is down, as JSON or to Slack',
    },
    heartbeat: {
      kind: 'url',
      variable: 'ADA_BULK_HEARTBEAT',
      help: 'Ping a check like those of healthchecks.io',
    },
    'metrics-file': {
      kind: 'file',
      placeholder: 'FILE.prom',
      variable: 'ADA_BULK_METRICS_FILE',
      help: "A .prom file for node_exporter's textfile collector",
    },
  }),
  section('Output:', anyRun, {
    progress: {
      kind: 'choice',
      choices: ['auto', 'bar', 'plain', 'json', 'none'],
      help: 'auto: a bar on a terminal, else a line every 10 s; json: an object a line',
    },
    'log-level': {
      kind: 'text',
      placeholder: 'LEVEL',
      default: 'info',
      help: 'For run.log; a level named here also sends the log to stderr',
    },
  }),
  section('Output:', [...anyRun, 'export'], {
    quiet: { kind: 'switch', help: 'No progress and no summary' },
  }),
  section('Output:', [...anyRun, 'status', 'verify', 'prune', 'export', 'jobs', 'sandbox', 'doctor'], {
    json: { kind: 'switch', help: 'Print one JSON document on stdout' },
  }),
  section('Stopping:', newRun, {
    continue: { kind: 'switch', help: 'Resume an unfinished run of this job instead, if there is one' },
  }),
  section('Stopping:', ['run', 'plan'], { 'dry-run': { kind: 'switch', help: 'The same as `plan`' } }),
  section('Files:', ['run'], {
    plan: { kind: 'file', help: 'Run what `plan --output` has kept, if nothing changed since' },
  }),
  section('Instance:', newRun, {
    instances: {
      kind: 'file',
      help: 'CSV of instances to run the job on, side by side: base_url, key_variable, input',
    },
  }),
  section('Output:', ['plan'], {
    output: { kind: 'file', help: 'Keep the plan in this file, for `run --plan`' },
  }),
  section('Output:', ['status'], {
    watch: { kind: 'switch', help: 'Show it again every two seconds, until the run has ended' },
  }),
  section('Input:', ['verify'], {
    'without-input': { kind: 'switch', help: 'Leave out input and hold lists that lie elsewhere' },
    head: { kind: 'text', help: 'The head that was kept elsewhere: shows what was cut off or rewritten' },
  }),
  section('Output:', ['report'], {
    format: {
      kind: 'choice',
      choices: ['csv', 'html', 'jsonl', 'pack'],
      otherwise: 'csv',
      help: 'What to write; pack: the whole record as a ZIP archive for an auditor',
    },
    output: {
      kind: 'file',
      alias: 'o',
      otherwise: "in the run's directory, a pack in this one",
      help: 'A file, or - for stdout',
    },
  }),
  section('Which runs:', ['prune'], {
    'older-than': { kind: 'duration', isRequired: true, help: 'Runs that ended so long ago: 400d' },
    unfinished: { kind: 'switch', help: 'Also those that could be resumed' },
    'dry-run': { kind: 'switch', help: 'Only say what would be removed' },
  }),
  section('Output:', ['export'], {
    output: { kind: 'file', alias: 'o', isRequired: true, help: 'File for the records: gzipped JSON Lines' },
  }),
  section('Schedule:', ['schedule'], {
    as: {
      kind: 'choice',
      choices: ['crontab', 'systemd', 'kubernetes'],
      default: 'crontab',
      help: 'What starts it',
    },
    at: { kind: 'cron', default: '03:00', help: "A time of day, or a crontab's fields: '0 3 * * mon-fri'" },
    name: { kind: 'label', most: 52, otherwise: 'ada-bulk-<job>', help: 'Name of the unit or the CronJob' },
    output: { kind: 'directory', help: 'Write the files into this directory instead of printing them' },
    image: {
      kind: 'text',
      placeholder: 'IMAGE',
      otherwise: 'ada-bulk:VERSION',
      help: 'kubernetes: the container image',
    },
    namespace: { kind: 'label', help: 'kubernetes: where the CronJob lives' },
    'volume-claim': {
      kind: 'label',
      default: 'ada-bulk',
      help: 'kubernetes: claim of the volume for all files',
    },
    secret: { kind: 'label', default: 'ada-bulk', help: 'kubernetes: the Secret that holds ADA_API_KEY' },
  }),
  section('Sandbox:', ['sandbox'], {
    port: { kind: 'count', least: 0, most: 65_535, otherwise: 'a free one', help: 'Port on 127.0.0.1' },
    key: { kind: 'text', placeholder: 'KEY', default: 'sandbox-key', help: 'The key that it takes' },
    limit: { kind: 'limits', otherwise: '30/s and 300/m', help: 'A window that it enforces; or none' },
    'window-kind': {
      kind: 'choice',
      choices: ['sliding', 'fixed', 'bucket'],
      default: 'sliding',
      help: 'How it keeps its windows',
    },
    latency: { kind: 'text', placeholder: 'FROM-TO', help: 'Time for an answer: 200ms, or 5ms-500ms' },
    'error-rate': { kind: 'rate', help: 'Part of calls answered with a 5xx, like 5%' },
    'drop-rate': { kind: 'rate', help: 'Part of calls whose connection is cut, like 1%' },
    outage: {
      kind: 'text',
      placeholder: 'AFTER+FOR',
      help: 'Fails every call: 10s+30s is for 30s, after 10s',
    },
    conversations: {
      kind: 'count',
      least: 0,
      most: 1_000_000,
      default: '0',
      help: 'Invented conversations in its Data Export',
    },
    'deletion-time': { kind: 'duration', least: 0, default: '3s', help: 'How long its deletion jobs take' },
    seed: { kind: 'count', least: 0, help: 'The same seed, the same faults' },
  }),
] as const
