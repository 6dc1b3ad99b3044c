import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { type RunDirectory, runDirectory } from '../../src/checkpoint/directory.js'
import type { Summary } from '../../src/checkpoint/summary.js'
import type { Verification } from '../../src/reports/verify.js'
import { mostShare } from '../../src/settings/share.js'
import type { KeptCall, SandboxState } from '../sandbox/sandboxes.js'
import type { Row } from './rows.js'
import type { World } from './world.js'

/** What is known of a run when it is over: what was asked, what the server saw, and what the run says of itself. */
export interface Evidence {
  world: Pick<World, 'held' | 'settings' | 'api' | 'othersEveryMs'>
  /** The input as it was accepted last, and all IDs that ever stood in it. */
  rows: readonly Row[]
  everListed: ReadonlySet<string>
  executions: readonly Executed[]
  /** Calls of ours, in the order of their arrival. */
  calls: readonly KeptCall[]
  /** Calls of another process of ours, beside the run. */
  beside: readonly KeptCall[]
  mostInFlightForOneId: number
  isEnded(id: string): boolean
  report: readonly ReportRow[]
  summary: Summary
  verification: Verification
  /** Files in which the key stands. */
  filesWithKey: readonly string[]
}

export interface ReportRow {
  id: string
  status: string
  reason: string
  attempts: string
}

/** How an execution ended. */
export interface Executed {
  /** Null: it was killed, or the power was cut. */
  exitCode: number | null
  stoppedBecause: string | null
  /** Items that were not settled then; null where nobody counted. */
  left: number | null
  hasTrouble: boolean
  /** Exit codes that what happened to it can explain, beside 0 and 3. */
  expected: readonly number[]
  crash: 'kill' | 'power cut' | null
  /** For so long that answers may have come too late for it. */
  stoodStill: boolean
  /** Where it is known when calls leave: what was asked of it while it went. */
  asked: readonly Asked[]
}

/** Somebody asks for a slower pace; share 0 is a pause. */
export interface Asked {
  share: number
  /** On the server's clock; until the execution was over, or was asked for something else. */
  fromMs: number
  toMs: number
}

export interface Scene {
  world: World
  rows: readonly Row[]
  everListed: ReadonlySet<string>
  executions: readonly Executed[]
  state: SandboxState
  /** Where the run lies at the end. */
  runDirectory: string
  /** Where all of its files lie, those of earlier executions, too. */
  everywhere: string
  key: string
  verify: (run: RunDirectory) => Promise<Verification>
}

/** Others call for IDs of their own. */
export const isOurs = ({ id }: KeptCall) => id === null || !/^(other|beside)-/.test(id)

export async function evidenceOf(scene: Scene): Promise<Evidence> {
  const { world, state } = scene
  const run = runDirectory(scene.runDirectory)
  const throttles = world.executions.flatMap(({ throttle, asked }) => [throttle ?? 0, asked?.share ?? 0])
  return {
    ...scene,
    // A run that was throttled may have been told to go faster.
    world: {
      ...world,
      settings: { ...world.settings, share: Math.max(mostShare(world.settings.share), ...throttles) },
    },
    calls: state.calls.filter(isOurs),
    beside: state.calls.filter(({ id }) => id?.startsWith('beside-')),
    mostInFlightForOneId: state.mostInFlightForOneId,
    isEnded: (id) => state.isEnded(id),
    report: parse(readFileSync(join(run.path, 'report.csv')), { columns: true }),
    summary: JSON.parse(readFileSync(run.summary, 'utf8')),
    verification: await scene.verify(run),
    filesWithKey: filesBelow(scene.everywhere).filter((path) => readFileSync(path).includes(scene.key)),
  }
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}
