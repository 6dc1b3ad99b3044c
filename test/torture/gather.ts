import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { type RunDirectory, runDirectory } from '../../src/checkpoint/directory.js'
import type { Verification } from '../../src/reports/verify.js'
import type { KeptCall, SandboxState } from '../sandbox/sandboxes.js'
import type { Evidence, LivedLife } from './evidence.js'
import type { Row } from './rows.js'
import type { World } from './world.js'

export interface Scene {
  world: World
  rows: readonly Row[]
  everListed: ReadonlySet<string>
  lives: readonly LivedLife[]
  state: SandboxState
  /** Where the run lies at the end. */
  runDirectory: string
  /** Where all of its files lie, those of earlier lives, too. */
  everywhere: string
  key: string
  verify: (run: RunDirectory) => Promise<Verification>
}

/** Others call for IDs of their own. */
export const isOurs = ({ id }: KeptCall) => id === null || !/^(other|beside)-/.test(id)

export async function evidenceOf(scene: Scene): Promise<Evidence> {
  const { world, state } = scene
  const run = runDirectory(scene.runDirectory)
  const throttles = world.lives.flatMap(({ throttle, asked }) => [throttle ?? 0, asked?.share ?? 0])
  return {
    ...scene,
    // A run that was throttled may have been told to go faster.
    world: { ...world, settings: { ...world.settings, share: Math.max(world.settings.share, ...throttles) } },
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
