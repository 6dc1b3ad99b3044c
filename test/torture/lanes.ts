import { type ChildProcess, fork } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { noCounts, type Played } from './counts.js'
import { playReal } from './real-run.js'
import { comesToItsEnd } from './result.js'

export interface Asked {
  /** The first seed, and how many. */
  first: number
  runs: number
  /** When no run begins any more. */
  endMs: number
}

/** What a lane plays, of those seeds that are simulated. */
export interface Lane extends Asked {
  lane: number
  lanes: number
}

/** What a lane tells: that it begins with a seed, and what came of it. */
export type Told = { begun: number } | Played

/** One in so many is played by real processes. */
const realEvery = 20
export const isReal = (seed: number) => seed % realEvery === 0

/** No run takes so long. */
const longestMs = 120_000

/** Plays the seeds one by one until there are no more, or the time is over. */
export async function play(
  { first, runs, endMs }: Asked,
  isMine: (seed: number) => boolean,
  one: (seed: number, directory: string) => Promise<void>,
  parent = tmpdir(),
): Promise<void> {
  const root = mkdtempSync(join(parent, 'ada-bulk-torture-'))
  try {
    for (let seed = first; seed < first + runs && Date.now() < endMs; seed++) {
      if (!isMine(seed)) continue
      const directory = join(root, String(seed))
      await one(seed, directory)
      rmSync(directory, { recursive: true, force: true })
    }
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/** A simulated disk lies in memory, where there is such a place. */
export const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** Simulated runs take all that their process does, so each lane is a process; real runs have a lane of their own. */
export async function playAll(asked: Asked, tell: (played: Played) => void): Promise<void> {
  const lanes = Math.min(availableParallelism(), asked.runs)
  await Promise.all([
    ...Array.from({ length: lanes }, (_, lane) => simulatedLane({ ...asked, lane, lanes }, tell)),
    play(asked, isReal, async (seed, directory) => tell(await playReal(seed, directory))),
  ])
}

/** A process that dies or hangs is an offence of the run that it played, and another goes on behind it. */
async function simulatedLane(lane: Lane, tell: (played: Played) => void): Promise<void> {
  const child = fork(fileURLToPath(new URL('lane.js', import.meta.url)), [JSON.stringify(lane)])
  let seed: number | null = null
  let patience: NodeJS.Timeout | undefined
  child.on('message', (told: Told) => {
    clearTimeout(patience)
    if (!('begun' in told)) return tell(told)
    seed = told.begun
    patience = setTimeout(() => child.kill('SIGKILL'), longestMs)
  })
  const how = await endOf(child)
  clearTimeout(patience)
  if (how === 0) return
  if (seed === null) throw new Error(`A lane cannot start: ${how}`)
  const offences = [`${comesToItsEnd}: its process ended with ${how}`]
  tell({ seed, counts: { ...noCounts(), runs: 1 }, offences })
  const runs = lane.first + lane.runs - (seed + 1)
  await simulatedLane({ ...lane, first: seed + 1, runs }, tell)
}

function endOf(child: ChildProcess): Promise<number | NodeJS.Signals> {
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal!)))
}
