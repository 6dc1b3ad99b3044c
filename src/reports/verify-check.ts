import type { RunDirectory } from '../checkpoint/directory.js'
import type { RunFile } from '../checkpoint/run-file.js'
import type { Summary } from '../checkpoint/summary.js'
import type { IdRules } from '../sources/items.js'
import type { Scan } from './verify-scan.js'

/** What the checks compare. */
export interface Evidence {
  directory: RunDirectory
  /** run.json, with the input as it was accepted last and its kept files where they lie now. */
  run: RunFile
  scan: Scan
  summary: Summary | 'damaged' | null
  /** A hash of the last line that was kept elsewhere. */
  head: string | null
  isRunning: boolean
  /** The last line says that every item is settled. */
  isFinished: boolean
  /** How the job finds and calls its IDs; null where that is not known. */
  idRules: IdRules | null
  /** Files outside of the run's directory are not compared. */
  isInputLeftOut: boolean
}

/** One thing that was checked. The names are contract: `verify --json` prints them. */
export interface Check {
  name: CheckName
  /** Null when it was left out; anything that could not be checked for another reason is not right. */
  isRight: boolean | null
  /** What was found, in one sentence: where, and what is wrong. */
  finding: string
}

export type CheckName =
  /** Each line of the checkpoint names the hash of the one before. */
  | 'chain'
  /** The last line is the one that the summary, or a hash kept elsewhere, names. */
  | 'head'
  /** Each line says something that a run can have written there. */
  | 'lines'
  /** run.json is the request that the checkpoint and the summary name. */
  | 'asked'
  /** summary.json counts what the checkpoint holds. */
  | 'totals'
  /** The files of the input are unchanged. */
  | 'input'
  /** The hold lists are unchanged, and nothing on them was called. */
  | 'hold'
  /** Each row of the input has one outcome. */
  | 'complete'
  /** Each ID of a file that the person names has one outcome. */
  | 'ids'
  /** A report says what the checkpoint says. */
  | 'report'

export function right(name: CheckName, finding: string): Check {
  return { name, isRight: true, finding }
}

export function wrong(name: CheckName, finding: string): Check {
  return { name, isRight: false, finding }
}

export function leftOut(name: CheckName, finding: string): Check {
  return { name, isRight: null, finding }
}

export const notComparable = 'cannot be compared with a checkpoint of which a line is not right.'
