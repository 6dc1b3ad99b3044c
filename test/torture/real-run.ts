import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { runDirectory } from '../../src/checkpoint/directory.js'
import { changeControl } from '../../src/monitor/status.js'
import { startSandbox } from '../sandbox/sandboxes.js'
import { type Counts, noCounts, type Played } from './counts.js'
import type { LivedLife } from './evidence.js'
import { evidenceOf, isOurs } from './gather.js'
import { offencesIn } from './invariants.js'
import { beginning, type Command, startIn } from './real-process.js'
import { type RealLife, type RealWorld, realWorldOf } from './real-world.js'
import { comesToItsEnd } from './result.js'
import { csvOf, type Row } from './rows.js'
import { countCalls, isFinished, tortureKey } from './simulated-run.js'

const calmLivesMax = 6
const calm: RealLife = { what: 'none', atCall: 0, thenMs: 0, share: 1, fileMaxKib: 0, rows: null }

/** What stays the same over all lives of one run. */
interface RealStage {
  world: RealWorld
  counts: Counts
  home: string
  run: ReturnType<typeof runDirectory>
  sandbox: Awaited<ReturnType<typeof startSandbox>>
  command: Command
}

/** One run as real processes against a sandbox with a network; what happens to them is chosen by the seed, when by the machine. */
export async function playReal(
  seed: number,
  directory: string,
  cliPath = 'dist/src/cli.js',
): Promise<Played> {
  const world = realWorldOf(seed)
  const counts = { ...noCounts(), runs: 1, realRuns: 1 }
  const sandbox = await startSandbox({ ...world.api, key: tortureKey, seed, keepCalls: true })
  mkdirSync(directory, { recursive: true })
  const run = runDirectory(join(directory, 'run'))
  const command = startIn(directory, cliPath, tortureKey)
  try {
    const offences = await play({ world, counts, home: directory, run, sandbox, command })
    countCalls(counts, sandbox.state, world)
    return { seed, counts, offences }
  } catch (error) {
    return { seed, counts, offences: [`${comesToItsEnd}: ${(error as Error).stack}`] }
  } finally {
    command.killAll()
    await sandbox.close()
  }
}

async function play(stage: RealStage): Promise<string[]> {
  const { world, counts, home, run, sandbox, command } = stage
  const lives: LivedLife[] = []
  const everListed = new Set(world.rows)
  let rows: readonly Row[] = world.rows
  const write = (name: string, to: readonly Row[]) => writeFileSync(join(home, name), csvOf(to))
  write('stale.csv', rows)
  write('hold.csv', world.held)
  const beside = runBeside(stage)
  // Its failure is looked at when it has ended; until then there is none.
  beside.catch(() => {})
  for (let number = 0; number < world.realLives.length + calmLivesMax; number++) {
    const life = world.realLives[number] ?? calm
    // A kill may have come when all was done.
    const isDone =
      existsSync(run.summary) && JSON.parse(readFileSync(run.summary, 'utf8')).stoppedBecause === null
    if (life.rows !== null && !isDone) {
      rows = life.rows
      counts.editedInputs += 1
      for (const id of rows) everListed.add(id)
      write('stale.csv', rows)
    }
    const lived = await live(stage, life)
    lives.push(lived)
    if (isFinished(lived)) break
  }
  await beside
  const verify = async () => JSON.parse((await command(['verify', run.path, '--json']).ended).stdout)
  const evidence = {
    ...{ world, rows, everListed, lives, verify },
    state: sandbox.state,
    runDirectory: run.path,
    everywhere: home,
    key: tortureKey,
  }
  return offencesIn(await evidenceOf(evidence))
}

/** Another run of the same job over another list, in a process of its own, from the beginning. */
async function runBeside({ world, counts, home, sandbox, command }: RealStage): Promise<void> {
  if (world.beside.length === 0) return
  writeFileSync(join(home, 'beside.csv'), csvOf(world.beside))
  const words = beginning(world, sandbox.url, join(home, 'run-beside'), 'beside.csv')
  const { code, stderr } = await command([...words, '--parallel']).ended
  counts.executions += 1
  counts.sideBySide += 1
  const unended = world.beside.filter((id) => !sandbox.state.isEnded(id))
  const isRight = code === 0 ? unended.length === 0 : code === 3 || (code === 4 && world.api.outage !== null)
  if (!isRight) throw new Error(`the run beside ended with ${code}, ${unended.length} not ended: ${stderr}`)
}

async function live(stage: RealStage, life: RealLife): Promise<LivedLife> {
  const { world, counts, run, sandbox } = stage
  const ourCalls = () => sandbox.state.calls.filter(isOurs).length
  const callsBefore = ourCalls()
  const args = existsSync(run.runFile)
    ? ['resume', run.path, '--yes', '--accept-changed-input', '--quiet']
    : [...beginning(world, sandbox.url, run.path, 'stale.csv'), '--parallel']
  const expected = world.api.outage ? [4] : []
  if (life.what === 'full disk') expected.push(2, 4)
  const { child, ended } = stage.command(args, life.what === 'full disk' ? life.fileMaxKib : null)
  let isOver = false
  void ended.finally(() => {
    isOver = true
  })
  while (!isOver && ourCalls() - callsBefore < life.atCall) await delay(2)
  await delay(life.thenMs)
  if (!isOver) await happen(stage, life, (signal) => child.kill(signal), expected)
  const { code, stderr } = await ended
  counts.executions += 1
  // Who is about to exit listens to no SIGTERM any more.
  const isKilled = code === null && (life.what === 'SIGKILL' || life.what.startsWith('SIGTERM'))
  if (isKilled && life.what.endsWith('SIGKILL'))
    counts[life.what === 'SIGKILL' ? 'kills' : 'killsAfterStop'] += 1
  if (life.what === 'full disk' && (code === 2 || code === 4)) counts.fullDisks += 1
  if (code === 1 || (code === null && !isKilled)) throw new Error(`ended with ${code}: ${stderr}`)
  if (/\n {4}at /.test(stderr)) throw new Error(`a stack: ${stderr}`)
  const crash = isKilled ? ('kill' as const) : null
  const lived = { exitCode: code, expected, asked: [], crash, stoodStill: false }
  if (code === null || code === 2) return { ...lived, stoppedBecause: null, left: null, hasTrouble: false }
  const { stoppedBecause, totals } = JSON.parse(readFileSync(run.summary, 'utf8'))
  const hasTrouble = totals.failed + totals.unknown + totals.invalid > 0
  return { ...lived, stoppedBecause, left: totals.left, hasTrouble }
}

async function happen(
  { counts, run }: RealStage,
  { what, share }: RealLife,
  signal: (name: NodeJS.Signals) => void,
  expected: number[],
): Promise<void> {
  switch (what) {
    case 'SIGKILL':
      return signal('SIGKILL')
    case 'SIGTERM':
    case 'SIGTERM, SIGKILL':
      counts.stops += 1
      expected.push(143)
      signal('SIGTERM')
      if (what === 'SIGTERM') return
      await delay(20)
      return signal('SIGKILL')
    case 'SIGSTOP':
      counts.freezes += 1
      signal('SIGSTOP')
      await delay(400)
      return signal('SIGCONT')
    case 'pause':
      counts.pauses += 1
      changeControl(run.control, { isPaused: true })
      await delay(600)
      return void changeControl(run.control, { isPaused: false })
    case 'throttle':
      counts.throttles += 1
      return void changeControl(run.control, { share })
    case 'full disk':
    case 'none':
  }
}
