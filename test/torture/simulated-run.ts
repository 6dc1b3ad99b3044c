import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { getResponse } from 'msw'
import 'undici'
import { reports } from '../../src/commands/report.js'
import { pageAssets } from '../../src/reports/html-assets.js'
import { verifyRun } from '../../src/reports/verify.js'
import { createAda } from '../sandbox/sandboxes.js'
import { evidenceOf } from './evidence.js'
import { Hang, SimulatedTime } from './host.js'
import { offencesIn } from './invariants.js'
import { countCalls, isFinished, playExecutions, tortureKey } from './play.js'
import { prngOf } from './prng.js'
import { type Counts, noCounts, type Played } from './result.js'
import { playExecution } from './simulated-execution.js'
import { type Execution, type World, worldOf } from './world.js'

// What is loaded when it is first needed would wait for more than simulated time.
await pageAssets()

/** What stays the same over all executions of one run. */
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

const calm: Execution = {
  ending: { kind: 'none' },
  rows: null,
  throttle: null,
  asked: null,
  storm: null,
  mishap: null,
  thenMs: 600_000,
}
const calmExecutionsMax = 10
/** Calls of others; they are many, and cost as much time as ours. */
const othersMax = 600

/** One run in this process: time, disk and network are simulated, and so is the death of its process. */
export async function playSimulated(seed: number, directory: string): Promise<Played> {
  const world = worldOf(seed)
  const time = new SimulatedTime(prngOf(seed ^ 0x5eed).roll)
  const ada = createAda({ ...world.api, key: tortureKey, seed, clock: time.server, keepCalls: true })
  const counts = { ...noCounts(), runs: 1 }
  const stage: Stage = { world, directory, time, ada, counts, roll: prngOf(~seed).roll, boots: 0 }
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
  let root = join(directory, 'execution-0')
  mkdirSync(root, { recursive: true })
  const played = await playExecutions(
    directory,
    world,
    counts,
    world.executions,
    calm,
    calmExecutionsMax,
    async (execution, number) => {
      const executed = await playExecution(stage, execution, root, number)
      if (executed.diedTo !== null) root = executed.diedTo
      if (isFinished(executed)) return executed
      const isCut = executed.crash === 'power cut'
      if (isCut) stage.boots += 1
      // A host that starts again takes longer than any window lasts.
      await time.pass(execution.thenMs + (isCut ? 100_000 : 0))
      return executed
    },
  )
  const evidence = evidenceOf({
    ...played,
    world,
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
