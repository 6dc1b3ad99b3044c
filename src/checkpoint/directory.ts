import { existsSync, lstatSync, readdirSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { faultIn, UsageError } from '../system/errors.js'
import { readSmallText, writeFileAtomically } from '../system/files.js'
import { messageOf } from '../system/text.js'
import { type RunFile, runFileSchema } from './run-file.js'
import { type Summary, summarySchema } from './summary.js'

/** The lock's name in a run's directory: one process at a time works on a run. */
export const runLockName = '.lock'

/** Where the files of a run lie. The names are contract. */
export interface RunDirectory {
  /** The directory's own name, by which people call the run. */
  name: string
  path: string
  runFile: string
  checkpoint: string
  summary: string
  log: string
  /** What is asked of the run from outside, and how it says that it stands while it goes. */
  control: string
  live: string
  /** Hashes of the input's IDs, to tell what came and went if it changes. */
  inputIds: string
  /** Hashes of the IDs on hold when the run last executed. */
  heldIds: string
}

export function runDirectory(path: string): RunDirectory {
  const absolute = resolve(path)
  return {
    name: basename(absolute),
    path: absolute,
    runFile: join(absolute, 'run.json'),
    checkpoint: join(absolute, 'checkpoint.jsonl'),
    summary: join(absolute, 'summary.json'),
    log: join(absolute, 'run.log'),
    control: join(absolute, 'control.json'),
    live: join(absolute, 'live.json'),
    inputIds: join(absolute, '.input-ids'),
    heldIds: join(absolute, '.held-ids'),
  }
}

const madeByRuns = [
  /^(run|summary|control)\.json$/,
  /^checkpoint(\.damaged(-\d+)?|\.rescued)?\.jsonl(\.new)?$/,
  /^live\.json(\.tmp)?$/,
  /^\.(input|held)-ids(\.new)?$/,
  /^\.{1,2}lock\.[\w.]+$/,
  /^run\.log$/,
  /^report\.(csv|html|jsonl)$/,
  /^(stdin|retry\.csv|end-users\.csv)$/,
  /^export\.jsonl\.gz(\..+)?$/,
  /\.\d+\.tmp$/,
]

/** The names in a run's directory that no run makes. */
export function foreignFiles(path: string): string[] {
  return readdirSync(path).filter((name) => !madeByRuns.some((pattern) => pattern.test(name)))
}

/** Where a new run may lie: nothing is there yet, or a directory that only we can write, without files of others. */
export function newRunDirectory(path: string): RunDirectory {
  const directory = runDirectory(path)
  if (path.trim() === '' || directory.path === process.cwd())
    throw new UsageError(
      `--run-dir ${path === '' ? "''" : path}: a run needs a directory that holds nothing else. Name a new one.`,
    )
  if (existsSync(directory.runFile)) {
    throw new UsageError(
      `${path} holds a run already. Resume it with \`ada-bulk resume ${path}\`, or name another directory.`,
    )
  }
  const fault = faultOfDirectory(directory.path)
  if (fault !== null) throw new UsageError(`${path} ${fault}. Name a new directory for the run.`)
  return directory
}

const writableByOthers = 0o022
const sticky = 0o1000

function faultOfDirectory(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false })
  // What is no directory is named when the first file is made.
  if (found?.isDirectory() !== true) return null
  const isOurs = process.getuid === undefined || found.uid === process.getuid()
  if (!isOurs) return 'belongs to another user'
  if ((found.mode & writableByOthers) !== 0 && (found.mode & sticky) === 0)
    return 'can be written by other users'
  const [foreign] = foreignFiles(path)
  if (foreign !== undefined) return `holds files that no run makes (${foreign})`
  const link = readdirSync(path).find((name) => lstatSync(join(path, name)).isSymbolicLink())
  return link === undefined ? null : `holds a symbolic link where a file of the run goes (${link})`
}

/** A name that sorts by time and tells the job: `end-conversations-2026-11-22T15-04-05`. */
export function newRunName(job: string, at: Date, taken: (name: string) => boolean): string {
  const stamp = at.toISOString().slice(0, 19).replaceAll(':', '-')
  const base = `${job}-${stamp}`
  for (let number = 1; ; number++) {
    const name = number === 1 ? base : `${base}-${number}`
    if (!taken(name)) return name
  }
}

const putBack = 'Put back what the run has written, or leave that directory alone.'

export function readRunFile(directory: RunDirectory): RunFile {
  let fields: unknown
  try {
    fields = JSON.parse(readSmallText(directory.runFile))
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new UsageError(
      isMissing
        ? `${directory.path} is not a run's directory: it has no run.json. \`ada-bulk status\` lists the runs.`
        : `cannot read ${directory.runFile} (${messageOf(error)}). ${putBack}`,
    )
  }
  const parsed = runFileSchema.safeParse(fields)
  if (!parsed.success) {
    throw new UsageError(`${directory.runFile} is damaged (${faultIn(parsed.error)}). ${putBack}`)
  }
  return parsed.data
}

export function writeRunFile(directory: RunDirectory, run: RunFile): void {
  writeFileAtomically(directory.runFile, `${JSON.stringify(run, null, 2)}\n`)
}

/** The summary that the run wrote when it last ended or stopped; null when it never did, or when it is damaged. */
export function readSummary(directory: RunDirectory): Summary | null {
  try {
    return summarySchema.parse(JSON.parse(readSmallText(directory.summary))) as Summary
  } catch {
    return null
  }
}

export function writeSummary(directory: RunDirectory, summary: Summary): void {
  writeFileAtomically(directory.summary, `${JSON.stringify(summary, null, 2)}\n`)
}

/** The directories of all runs, the latest first. What begins with a dot is being removed. */
export function listRuns(runsDirectory: string): RunDirectory[] {
  if (!existsSync(runsDirectory)) return []
  return readdirSync(runsDirectory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .filter((entry) => existsSync(join(runsDirectory, entry.name, 'run.json')))
    .map((entry) => runDirectory(join(runsDirectory, entry.name)))
    .map((directory) => ({ directory, startedAt: startOf(directory) }))
    .sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1))
    .map(({ directory }) => directory)
}

function startOf(directory: RunDirectory): string {
  try {
    return readRunFile(directory).startedAt
  } catch {
    return ''
  }
}

/** Finds a run by its directory or its name; `latest` is the one that began last. */
export function findRun(runsDirectory: string, run: string): RunDirectory {
  const latest = run === 'latest' ? listRuns(runsDirectory)[0] : undefined
  const candidates = [run, join(runsDirectory, run), ...(latest === undefined ? [] : [latest.path])]
  const found = candidates.find((path) => existsSync(join(path, 'run.json')))
  if (found !== undefined) return runDirectory(found)
  const names = listRuns(runsDirectory)
    .slice(0, 5)
    .map((directory) => directory.name)
  const known =
    names.length === 0 ? `there are none in ${runsDirectory}` : `the latest are ${names.join(', ')}`
  throw new UsageError(
    `no run called ${run}: ${known}. Name a run's directory, or say where runs live with --runs-dir.`,
  )
}
