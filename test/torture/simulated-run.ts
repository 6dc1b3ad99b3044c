import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { getResponse } from 'msw'
import 'undici'
import { reports } from '../../src/commands/report.js'
import { verifyRun } from '../../src/reports/verify.js'
import type { SandboxState } from '../sandbox/sandboxes.js'
import { createAda } from '../sandbox/sandboxes.js'
import { type Counts, noCounts, type Played } from './counts.js'
import { diceOf } from './dice.js'
import type { LivedLife } from './evidence.js'
import { evidenceOf, isOurs } from './gather.js'
import { Hang, SimulatedTime } from './host.js'
import { offencesIn } from './invariants.js'
import { csvOf, type Row } from './rows.js'
import { liveSimulated } from './simulated-life.js'
import { type Life, type World, worldOf } from './world.js'
// Loaded when it is first needed, which nobody would see.

export const tortureKey = 'k3y-0f-the-torture-chamber'

/** What stays the same over all lives of one run. */
export interface Stage {
  world: World
  directory: string
  time: SimulatedTime
  ada: ReturnType<typeof createAda>
  counts: Counts
  /** From 0 to 1, as chosen by the seed. */
  roll: () => number
  /** How often the host has started again. */
  boots: number
}

const calm: Life = {
  ending: { kind: 'none' },
  rows: null,
  throttle: null,
  asked: null,
  storm: null,
  mishap: null,
  thenMs: 600_000,
}
const calmLivesMax = 8
/** Calls of others; they are many, and cost as much time as ours. */
const othersMax = 600

/** One run in this process: time, disk and network are simulated, and so is the death of its process. */
export async function playSimulated(seed: number, directory: string): Promise<Played> {
  const world = worldOf(seed)
  const time = new SimulatedTime(diceOf(seed ^ 0x5eed).roll)
  const ada = createAda({ ...world.api, key: tortureKey, seed, clock: time.server, keepCalls: true })
  const counts = { ...noCounts(), runs: 1 }
  const stage: Stage = { world, directory, time, ada, counts, roll: diceOf(~seed).roll, boots: 0 }
  time.loop.begin()
  const stopOthers = world.othersEveryMs > 0 ? callAsOthers(stage) : () => {}
  try {
    return { seed, counts, offences: await play(stage) }
  } catch (error) {
    const what = error instanceof Hang ? error.message : String((error as Error).stack)
    return { seed, counts, offences: [`a run comes to its end without a bug: ${what}`] }
  } finally {
    stopOthers()
    time.loop.end()
  }
}

async function play(stage: Stage): Promise<string[]> {
  const { world, directory, time, ada, counts } = stage
  let rows: readonly Row[] = world.rows
  const everListed = new Set(rows)
  const lives: LivedLife[] = []
  let root = join(directory, 'life-0')
  mkdirSync(root, { recursive: true })
  const write = (to: readonly Row[]) => writeFileSync(join(directory, 'stale.csv'), csvOf(to))
  write(rows)
  writeFileSync(join(directory, 'hold.csv'), csvOf(world.held))
  for (let number = 0; ; number++) {
    const life = world.lives[number] ?? calm
    if (life.rows !== null) {
      rows = life.rows
      for (const id of rows) everListed.add(id)
      write(rows)
      counts.editedInputs += 1
    }
    const lived = await liveSimulated(stage, life, root, number)
    lives.push(lived)
    counts.executions += 1
    if (lived.diedTo !== null) root = lived.diedTo
    if (isFinished(lived) || number - world.lives.length > calmLivesMax) break
    if (lived.crash === 'power cut') stage.boots += 1
    // A host that starts again takes longer than any window lasts.
    await time.pass(life.thenMs + (lived.crash === 'power cut' ? 100_000 : 0))
  }
  const evidence = evidenceOf({
    world,
    rows,
    everListed,
    lives,
    state: ada.state,
    runDirectory: join(root, 'run'),
    everywhere: directory,
    key: tortureKey,
    verify: async (run) => (await verifyRun(run, { reports, idRules: {} })).verification,
  })
  await time.until(evidence)
  countCalls(counts, ada.state, world)
  return offencesIn(await evidence)
}

/** A run that is finished is not gone on with, whatever the input is then. */
export function isFinished({ exitCode, stoppedBecause }: LivedLife): boolean {
  return (exitCode === 0 || exitCode === 3) && stoppedBecause === null
}

/** What the server knows of what has happened to our calls. */
export function countCalls(counts: Counts, state: SandboxState, { api }: World): void {
  const calls = state.calls.filter(isOurs)
  const firstMs = Math.min(...state.calls.map(({ atMs }) => atMs))
  const isInOutage = ({ atMs }: { atMs: number }) =>
    api.outage != null &&
    atMs - firstMs >= api.outage.afterMs &&
    atMs - firstMs < api.outage.afterMs + api.outage.forMs
  counts.calls += calls.length
  counts.rateLimited += calls.filter(({ status }) => status === 429).length
  counts.serverErrors += calls.filter(({ status }) => status >= 500).length
  counts.outages += calls.some(isInOutage) ? 1 : 0
  counts.lostAnswers += state.answersLost
  counts.halfAnswers += state.answersHalved
  counts.resets += Math.max(0, calls.filter(({ status }) => status === 0).length - state.answersLost)
}

/** Somebody else uses the instance's windows as well. */
function callAsOthers({ world, time, ada }: Stage): () => void {
  let number = 0
  let forget = () => {}
  const call = () => {
    if (number === othersMax) return
    const request = new Request(`https://acme.ada.support/api/v2/conversations/other-${number++}/end/`, {
      method: 'POST',
      headers: { authorization: `Bearer ${tortureKey}` },
    })
    getResponse(ada.handlers, request).catch(() => {})
    forget = time.plan(world.othersEveryMs, call)
  }
  call()
  return () => forget()
}
