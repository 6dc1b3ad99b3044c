import { existsSync, lstatSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join, resolve, sep } from 'node:path'
import {
  foreignFiles,
  listRuns,
  type RunDirectory,
  readRunFile,
  readSummary,
  runLockName,
} from '../checkpoint/directory.js'
import { syncDirectory } from '../system/files.js'
import { erasureOf, isErasing } from './follow-up.js'
import { takeLock } from './lock-file.js'
import { type RunState, runState } from './state.js'

/** A run that is old enough. `prune --json` has these names. */
export interface OldRun {
  run: string
  directory: string
  state: RunState['kind']
  /** When it ended or stopped last; after a crash, when its checkpoint was written last. */
  endedAt: string
  bytes: number
  /** Files in its directory that no run makes: they stay, and so does the directory. */
  foreignFiles: string[]
  /** Why it is kept; null when it may be removed. */
  keptBecause: string | null
}

export interface PruneRules {
  /** Runs that ended before this (Unix) are old. */
  beforeMs: number
  /** Runs that could be resumed are removed, too. */
  isUnfinishedTaken: boolean
  /** A run that contains it is kept: it has locks, ledger and sync states. */
  stateDirectory: string
}

/** The runs that are old enough, the oldest first, with those that are kept. */
export function oldRuns(runsDirectory: string, rules: PruneRules): OldRun[] {
  const all = listRuns(runsDirectory).reverse().map(candidateOf)
  const isUnfinished = ({ state }: Candidate) => state !== 'finished'
  const needed = new Set(all.filter(isUnfinished).map(({ retryOf }) => retryOf))
  const keptBecause = (run: Candidate): string | null => {
    if (run.state === 'running') return 'a process is at work on it'
    if (run.retryOf === undefined) return 'its run.json cannot be read'
    if (run.isToBeErased) return 'its end users are not erased yet; resume it'
    if (isUnfinished(run) && !rules.isUnfinishedTaken)
      return 'it is not finished, and can be resumed; --unfinished takes it, too'
    if (needed.has(run.directory.name)) return 'a retry of it is not finished'
    return holds(run.directory.path, rules.stateDirectory) ? 'the state directory lies in it' : null
  }
  return all
    .filter(({ endedMs }) => endedMs < rules.beforeMs)
    .map((run) => ({
      run: run.directory.name,
      directory: run.directory.path,
      state: run.state,
      endedAt: new Date(run.endedMs).toISOString(),
      bytes: bytesOf(run.directory.path),
      foreignFiles: foreignFiles(run.directory.path),
      keptBecause: keptBecause(run),
    }))
}

interface Candidate {
  directory: RunDirectory
  state: RunState['kind']
  endedMs: number
  /** Undefined when run.json cannot be read. */
  retryOf: string | null | undefined
  /** A sweep with an erasure that is still to come, or not finished. */
  isToBeErased: boolean
}

function candidateOf(directory: RunDirectory): Candidate {
  const state = runState(directory)
  const written = existsSync(directory.checkpoint) ? directory.checkpoint : directory.runFile
  const endedMs = 'end' in state ? Date.parse(state.end.at) : lstatSync(written).mtimeMs
  let retryOf: string | null | undefined
  let isToBeErased = false
  try {
    const file = readRunFile(directory)
    retryOf = file.retryOf
    isToBeErased = isErasing(file) && !isErased(directory)
  } catch {}
  return { directory, state: state.kind, endedMs, retryOf, isToBeErased }
}

function isErased(sweep: RunDirectory): boolean {
  const erasure = erasureOf(sweep)
  if (existsSync(erasure.runFile)) return runState(erasure).kind === 'finished'
  // Where nothing was ended, nobody is to be erased.
  return readSummary(sweep)?.totals.succeeded === 0
}

function holds(directory: string, path: string): boolean {
  return `${resolve(path)}${sep}`.startsWith(`${directory}${sep}`)
}

function bytesOf(directory: string): number {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => lstatSync(join(directory, name), { throwIfNoEntry: false }))
    .reduce((sum, file) => sum + (file?.isFile() ? file.size : 0), 0)
}

const prunedPrefix = '.pruned-'

/**
 * Removes a run; false when a process has begun to work on it. It gets another name first: killed in between, there is
 * no half of a run that could be resumed, and `sweepPruned` removes the rest.
 */
export function removeRun({ directory }: OldRun): boolean {
  const attempt = takeLock(directory, runLockName, directory)
  if (attempt.lock === null) return false
  const foreign = foreignFiles(directory)
  if (foreign.length > 0) {
    // Without its run.json it is no run any more.
    const ours = readdirSync(directory).filter((name) => !foreign.includes(name))
    for (const name of ['run.json', ...ours]) rmSync(join(directory, name), { force: true })
    attempt.lock.remove()
    return true
  }
  const renamed = join(dirname(directory), `${prunedPrefix}${basename(directory)}`)
  try {
    rmSync(renamed, { recursive: true, force: true })
    renameSync(directory, renamed)
    syncDirectory(dirname(directory))
    rmSync(renamed, { recursive: true, force: true })
    return true
  } finally {
    attempt.lock.release()
  }
}

/** Removes the rest of a removal that was killed. */
export function sweepPruned(runsDirectory: string): void {
  if (!existsSync(runsDirectory)) return
  for (const name of readdirSync(runsDirectory))
    if (name.startsWith(prunedPrefix)) rmSync(join(runsDirectory, name), { recursive: true, force: true })
}
