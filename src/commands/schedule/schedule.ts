import type { CronTime } from '../../settings/cron-time.js'

/** The promise of a schedule: the files that make a scheduler start a task again and again. */
export interface Schedule {
  /** What `--as` calls it. */
  name: string
  files(task: Task): ScheduleFile[]
}

export interface ScheduleFile {
  name: string
  text: string
}

/** A command line that starts unattended: no terminal, no shell's settings, another directory. */
export interface Task {
  /** Name of the unit or the CronJob. */
  name: string
  at: CronTime
  /** Node and this program, by their absolute paths. */
  program: readonly string[]
  /** `run`, the job, its flags. Paths are absolute. */
  words: readonly string[]
  /** The directories that it writes to. */
  writes: readonly string[]
  stateDirectory: string
  /** Variables that the schedule has to provide: keys, where the flags name no file that holds them. */
  secrets: readonly string[]
  /** How long it may take to end after a SIGTERM. */
  graceSeconds: number
  /** Its own flags stop it (75), until the next start. */
  stopsItself: boolean
  /** The owner of the runs and the key. */
  user: string
  /** The time zone of `at`. */
  timeZone: string
  cluster: Cluster
}

/** Needed in a cluster only. */
export interface Cluster {
  image: string
  namespace: string | undefined
  volumeClaim: string
  secret: string
}

/** A file of variables with the key in it, where the flags name none. */
export const keyFile = '/etc/ada-bulk/env'

/** Says how the secrets get into that file. */
export function bringing(secrets: readonly string[], readableBy: string): string[] {
  if (secrets.length === 0) return []
  const what = secrets.length === 1 ? 'the key' : 'the keys, one a line'
  return [
    `Bring ${what}: ${keyFile}, readable by ${readableBy}, ${secrets.map((name) => `${name}=…`).join(' ')}`,
  ]
}

/** Printed above each schedule. */
export const meaning: readonly string[] = [
  'Each start resumes what an earlier one left unfinished, else it begins a new run (--continue).',
  'Exit codes: 0 done; 2 cannot start; 3 finished, and some items failed; 4 stopped, a person has to look;',
  '75 stopped for now, which is no failure: the next start goes on.',
]

/** Lines as comments. */
export function comments(lines: readonly string[], indent = ''): string {
  return lines.map((line) => `${indent}# ${line}\n`).join('')
}
