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
    input: ['file', 'File of IDs; - is stdin', { isList: true, alias: 'i' }],
  }),
  section('Input:', ['verify'], {
    input: ['file', 'File of which every ID must have one outcome', { isList: true, alias: 'i' }],
  }),
  section('Input:', [...newRun, 'verify'], {
    format: [
      'choice',
      'auto goes by content',
      { choices: ['auto', 'csv', 'json'], default: 'auto', keptAs: 'format', isFixed: true },
    ],
    'id-column': [
      'text',
      'CSV column of the ID, by name or from 1',
      { placeholder: 'NAME|N', keptAs: 'idColumn', isFixed: true },
    ],
  }),
  section('Input:', newRun, {
    'accept-truncated': [
      'switch',
      'Accept the complete records of a truncated data-export file',
      { keptAs: 'acceptTruncated', isFixed: true },
    ],
  }),
  section('Input:', anyRun, {
    hold: ['file', 'File of IDs that are never touched', { isList: true }],
    'hold-column': ['text', 'Their ID column', { placeholder: 'NAME|N', keptAs: 'holdColumn' }],
    'accept-odd-hold': ['switch', 'Even if a row can match no ID', { keptAs: 'acceptsOddHold' }],
  }),
  section('Input:', ['run', 'schedule', 'resume'], {
    'accept-shrunk-hold': ['switch', 'Even if a hold list has lost IDs since the run last executed'],
  }),
  section('Instance:', [...newRun, 'export', 'doctor'], {
    'base-url': ['url', 'The instance: https://acme.ada.support', { variable: 'ADA_BASE_URL' }],
    handle: ['text', 'The instance by its handle: acme', { placeholder: 'HANDLE' }],
    region: ['text', 'The cluster of --handle: eu, maple, …', { placeholder: 'REGION' }],
    sandbox: ['switch', 'Run against a local Ada to practise on; needs no key'],
  }),
  section('Instance:', [...anyRun, 'export', 'doctor'], {
    'api-key-file': ['file', 'File that holds the API key, instead of ADA_API_KEY'],
    'env-file': ['file', 'Read variables from a file'],
  }),
  section('Pacing:', [...anyRun, 'export'], {
    'api-limit': ['limits', 'What Ada allows, if not as published; or none', { keptAs: 'limits' }],
  }),
  section('Pacing:', [...anyRun, 'export', 'throttle'], {
    limit: ['caps', 'Your own cap on top, without the share: 5/s, 5000/h', { keptAs: 'caps' }],
    share: ['share', "Part of Ada's windows, or a timetable of it", { default: '80%', keptAs: 'share' }],
  }),
  section('Pacing:', [...anyRun, 'export'], {
    hours: ['hours', 'Call only in this span of local time, like 22:00-06:00', { keptAs: 'hours' }],
    concurrency: ['count', 'Calls in flight', { most: 1000, default: '16', keptAs: 'concurrency' }],
    // Node's timers fire at once when they are asked to wait for longer than 24 days.
    timeout: ['duration', 'For one call', { most: 3_600_000, default: '30s', keptAs: 'timeoutMs' }],
    attempts: ['count', 'Calls for an item at most', { most: 100, default: '5', keptAs: 'attemptsMax' }],
  }),
  section('Pacing:', [...anyRun, 'export', 'doctor'], {
    'redis-url': [
      'url',
      'Share the windows and locks with other hosts over Redis',
      { variable: 'ADA_BULK_REDIS_URL' },
    ],
  }),
  section('Pacing:', [...anyRun, 'export'], {
    'redis-timeout': ['duration', 'Stop (75) when Redis is away for so long', { default: '5m' }],
  }),
  section('Stopping:', [...anyRun, 'prune'], { yes: ['switch', 'Do not ask', { alias: 'y' }] }),
  section('Stopping:', anyRun, {
    'yes-erase': ['switch', 'With --erase: do not ask about erasing either'],
    'poll-for': [
      'duration',
      "Ask for so long what became of Ada's deletion jobs, then stop (75)",
      { least: 0, default: '10m' },
    ],
    'max-items': ['count', 'Settle so many items by calling, then stop (75)'],
    'max-duration': ['duration', 'Stop gently after this time (75)'],
    'max-failures': [
      'failures',
      'Stop (4) when more fail: a number or a percentage',
      { default: '25%', keptAs: 'maxFailures' },
    ],
    'max-outage': [
      'duration',
      'Stop (4) when the API fails every call for so long',
      { default: '5m', keptAs: 'maxOutageMs' },
    ],
    wait: ['switch', 'Wait while another run holds the lock, instead of leaving (75)'],
  }),
  section('Files:', [...ofRuns, 'doctor'], {
    'runs-dir': ['directory', 'Where runs live', { default: 'runs', variable: 'ADA_BULK_RUNS' }],
  }),
  section('Files:', [...newRun, 'retry'], {
    'run-dir': ['directory', "This run's directory, instead of one named after job and time"],
    parallel: ['switch', 'Allow a run beside another of the same job'],
  }),
  section('Files:', newRun, {
    pseudonymise: ['switch', 'Keep keyed hashes instead of the IDs; the key is ADA_BULK_PSEUDONYM_KEY'],
  }),
  section('Data Export:', newRun, {
    live: ['switch', 'Download the input from Data Export now'],
  }),
  section('Data Export:', [...newRun, 'export'], {
    'updated-since': ['moment', 'From a moment, or so long ago: 2026-01-31, 90d', { default: '364d' }],
    'created-since': ['moment', 'The same, by when conversations were created'],
    to: ['moment', 'Up to this moment or so long ago', { otherwise: 'now' }],
    'page-size': ['count', 'Records to a call', { least: 100, most: 10_000, default: '1000' }],
  }),
  section('Pacing:', newRun, {
    'check-first': [
      'switch',
      'Look at each conversation first, and leave out the active ones; twice the calls',
      { keptAs: 'checkFirst' },
    ],
  }),
  section('Input:', [...newRun, 'resume'], {
    'accept-changed-input': [
      'switch',
      'Resume although the input has changed; items are matched by their ID',
    ],
  }),
  section('Input:', [...newRun, 'resume'], {
    'accept-damaged-record': [
      'switch',
      'Resume although lines of the checkpoint are damaged; they are left out, and their items may be called again',
    ],
  }),
  section('Notifications:', anyRun, {
    notify: [
      'url',
      'POST how a run ends, and that the API is down, as JSON or to Slack',
      { isList: true, variable: 'ADA_BULK_NOTIFY' },
    ],
    heartbeat: ['url', 'Ping a check like those of healthchecks.io', { variable: 'ADA_BULK_HEARTBEAT' }],
    'metrics-file': [
      'file',
      "A .prom file for node_exporter's textfile collector",
      { placeholder: 'FILE.prom', variable: 'ADA_BULK_METRICS_FILE' },
    ],
  }),
  section('Output:', anyRun, {
    progress: [
      'choice',
      'auto: a bar on a terminal, else a line every 10 s; json: an object a line',
      { choices: ['auto', 'bar', 'plain', 'json', 'none'] },
    ],
    'log-level': [
      'text',
      'For run.log; a level named here also sends the log to stderr',
      { placeholder: 'LEVEL', default: 'info' },
    ],
  }),
  section('Output:', [...anyRun, 'export'], {
    quiet: ['switch', 'No progress and no summary'],
  }),
  section('Output:', [...anyRun, 'status', 'verify', 'prune', 'export', 'jobs', 'sandbox', 'doctor'], {
    json: ['switch', 'Print one JSON document on stdout'],
  }),
  section('Stopping:', newRun, {
    continue: ['switch', 'Resume an unfinished run of this job instead, if there is one'],
  }),
  section('Stopping:', ['run', 'plan'], { 'dry-run': ['switch', 'The same as `plan`'] }),
  section('Files:', ['run'], {
    plan: ['file', 'Run what `plan --output` has kept, if nothing changed since'],
  }),
  section('Instance:', newRun, {
    instances: ['file', 'CSV of instances to run the job on, side by side: base_url, key_variable, input'],
  }),
  section('Output:', ['plan'], {
    output: ['file', 'Keep the plan in this file, for `run --plan`'],
  }),
  section('Output:', ['status'], {
    watch: ['switch', 'Show it again every two seconds, until the run has ended'],
  }),
  section('Input:', ['verify'], {
    'without-input': ['switch', 'Leave out input and hold lists that lie elsewhere'],
    head: ['text', 'The head that was kept elsewhere: shows what was cut off or rewritten'],
  }),
  section('Output:', ['report'], {
    format: [
      'choice',
      'What to write; pack: the whole record as a ZIP archive for an auditor',
      { choices: ['csv', 'html', 'jsonl', 'pack'], default: 'csv' },
    ],
    output: [
      'file',
      'A file, or - for stdout',
      { alias: 'o', otherwise: "in the run's directory, a pack in this one" },
    ],
  }),
  section('Which runs:', ['prune'], {
    'older-than': ['duration', 'Runs that ended so long ago: 400d', { isRequired: true }],
    unfinished: ['switch', 'Also those that could be resumed'],
    'dry-run': ['switch', 'Only say what would be removed'],
  }),
  section('Output:', ['export'], {
    output: ['file', 'File for the records: gzipped JSON Lines', { alias: 'o', isRequired: true }],
  }),
  section('Schedule:', ['schedule'], {
    as: ['choice', 'What starts it', { choices: ['crontab', 'systemd', 'kubernetes'], default: 'crontab' }],
    at: ['cron', "A time of day, or a crontab's fields: '0 3 * * mon-fri'", { default: '03:00' }],
    name: ['label', 'Name of the unit or the CronJob', { most: 52, otherwise: 'ada-bulk-<job>' }],
    output: ['directory', 'Write the files into this directory instead of printing them'],
    image: [
      'text',
      'kubernetes: the container image',
      { placeholder: 'IMAGE', otherwise: 'ada-bulk:VERSION' },
    ],
    namespace: ['label', 'kubernetes: where the CronJob lives'],
    'volume-claim': ['label', 'kubernetes: claim of the volume for all files', { default: 'ada-bulk' }],
    secret: ['label', 'kubernetes: the Secret that holds ADA_API_KEY', { default: 'ada-bulk' }],
  }),
  section('Sandbox:', ['sandbox'], {
    port: ['count', 'Port on 127.0.0.1', { least: 0, most: 65_535, otherwise: 'a free one' }],
    key: ['text', 'The key that it takes', { placeholder: 'KEY', default: 'sandbox-key' }],
    limit: ['limits', 'A window that it enforces; or none', { otherwise: '30/s and 300/m' }],
    'window-kind': [
      'choice',
      'How it keeps its windows',
      { choices: ['sliding', 'fixed', 'bucket'], default: 'sliding' },
    ],
    latency: ['text', 'Time for an answer: 200ms, or 5ms-500ms', { placeholder: 'FROM-TO' }],
    'error-rate': ['rate', 'Part of calls answered with a 5xx, like 5%'],
    'drop-rate': ['rate', 'Part of calls whose connection is cut, like 1%'],
    outage: ['text', 'Fails every call: 10s+30s is for 30s, after 10s', { placeholder: 'AFTER+FOR' }],
    conversations: [
      'count',
      'Invented conversations in its Data Export',
      { least: 0, most: 1_000_000, default: '0' },
    ],
    'deletion-time': ['duration', 'How long its deletion jobs take', { least: 0, default: '3s' }],
    seed: ['count', 'The same seed, the same faults', { least: 0 }],
  }),
] as const
