import { type ChildProcess, fork } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { playReal } from './real-run.js'
import { comesToItsEnd, noCounts, type Played } from './result.js'
import { playSimulated } from './simulated-run.js'

export interface Asked {
  /** The first seed, and how many. */
  first: number
  runs: number
  /** When no run begins any more. */
  endMs: number
}

/** What a lane plays, of those seeds that are simulated. */
interface Lane extends Asked {
  lane: number
  lanes: number
}

/** What a lane tells: that it begins with a seed, and what came of it. */
type Told = { begun: number } | Played

const ownPath = fileURLToPath(import.meta.url)

/** One in so many is played by real processes. */
const realEvery = 20
const isReal = (seed: number) => seed % realEvery === 0

/** No run takes so long. */
const runMaxMs = 120_000

/** Plays the seeds one by one until there are no more, or the time is over. */
async function play(
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
const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

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
  const child = fork(ownPath, [JSON.stringify(lane)])
  let seed: number | null = null
  let timeout: NodeJS.Timeout | undefined
  child.on('message', (told: Told) => {
    clearTimeout(timeout)
    if (!('begun' in told)) return tell(told)
    seed = told.begun
    timeout = setTimeout(() => child.kill('SIGKILL'), runMaxMs)
  })
  const how = await endOf(child)
  clearTimeout(timeout)
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

/** The process of a lane. */
async function playLane({ lane, lanes, first, runs, endMs }: Record<keyof Lane, number | null>) {
  const tell = (told: Told) => void process.send!(told)
  // JSON has null for Infinity.
  const seeds = {
    first: first!,
    runs: runs ?? Number.POSITIVE_INFINITY,
    endMs: endMs ?? Number.POSITIVE_INFINITY,
  }
  const isMine = (seed: number) => !isReal(seed) && seed % lanes! === lane
  const one = async (seed: number, directory: string) => {
    tell({ begun: seed })
    tell(await playSimulated(seed, directory))
  }
  await play(seeds, isMine, one, memory)
  process.disconnect()
}

if (process.argv[1] === ownPath) await playLane(JSON.parse(process.argv[2]!))
