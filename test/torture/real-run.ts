import { type ChildProcess, execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { runDirectory } from '../../src/checkpoint/directory.js'
import { changeControl } from '../../src/monitor/status.js'
import { shareText } from '../../src/settings/share.js'
import { startSandbox } from '../sandbox/sandboxes.js'
import { type Executed, evidenceOf, isOurs } from './evidence.js'
import { offencesIn } from './invariants.js'
import { countCalls, playExecutions, tortureKey } from './play.js'
import { type RealExecution, type RealWorld, realWorldOf } from './real-world.js'
import { type Counts, comesToItsEnd, noCounts, type Played } from './result.js'
import { csvOf } from './rows.js'

const calmExecutionsMax = 6
const calm: RealExecution = { what: 'none', atCall: 0, thenMs: 0, share: 1, fileMaxKib: 0, rows: null }

/** What stays the same over all executions of one run. */
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
  const beside = runBeside(stage)
  // Its failure is looked at when it has ended; until then there is none.
  beside.catch(() => {})
  // A kill may have come when all was done.
  const isDone = () =>
    existsSync(run.summary) && JSON.parse(readFileSync(run.summary, 'utf8')).stoppedBecause === null
  const { realExecutions } = world
  const one = (execution: RealExecution) => playExecution(stage, execution)
  const played = await playExecutions(
    home,
    world,
    counts,
    realExecutions,
    calm,
    calmExecutionsMax,
    one,
    isDone,
  )
  await beside
  const verify = async () => JSON.parse((await command(['verify', run.path, '--json']).ended).stdout)
  const evidence = {
    ...played,
    world,
    verify,
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
  const { code, stderr } = await command([...words, '--parallel', '--accept-odd-hold']).ended
  counts.executions += 1
  counts.sideBySide += 1
  const unended = world.beside.filter((id) => !sandbox.state.isEnded(id))
  const isRight = code === 0 ? unended.length === 0 : code === 3 || (code === 4 && world.api.outage !== null)
  if (!isRight) throw new Error(`the run beside ended with ${code}, ${unended.length} not ended: ${stderr}`)
}

async function playExecution(stage: RealStage, execution: RealExecution): Promise<Executed> {
  const { world, counts, run, sandbox } = stage
  const ourCalls = () => sandbox.state.calls.filter(isOurs).length
  const callsBefore = ourCalls()
  const args = existsSync(run.runFile)
    ? ['resume', run.path, '--yes', '--accept-changed-input', '--quiet']
    : [...beginning(world, sandbox.url, run.path, 'stale.csv'), '--parallel']
  const expected = world.api.outage ? [4] : []
  if (execution.what === 'full disk') expected.push(2, 4)
  const { child, ended } = stage.command(args, execution.what === 'full disk' ? execution.fileMaxKib : null)
  let isOver = false
  void ended.finally(() => {
    isOver = true
  })
  while (!isOver && ourCalls() - callsBefore < execution.atCall) await delay(2)
  await delay(execution.thenMs)
  if (!isOver) await happen(stage, execution, (signal) => child.kill(signal), expected)
  const { code, stderr } = await ended
  // Who is about to exit listens to no SIGTERM any more.
  const isKilled = code === null && (execution.what === 'SIGKILL' || execution.what.startsWith('SIGTERM'))
  if (isKilled && execution.what.endsWith('SIGKILL'))
    counts[execution.what === 'SIGKILL' ? 'kills' : 'killsAfterStop'] += 1
  if (execution.what === 'full disk' && (code === 2 || code === 4)) counts.fullDisks += 1
  if (code === 1 || (code === null && !isKilled)) throw new Error(`ended with ${code}: ${stderr}`)
  if (/\n {4}at /.test(stderr)) throw new Error(`a stack: ${stderr}`)
  const crash = isKilled ? ('kill' as const) : null
  const executed = { exitCode: code, expected, asked: [], crash, stoodStill: false }
  if (code === null || code === 2) return { ...executed, stoppedBecause: null, left: null, hasTrouble: false }
  const { stoppedBecause, totals } = JSON.parse(readFileSync(run.summary, 'utf8'))
  const hasTrouble = totals.failed + totals.unknown + totals.invalid > 0
  return { ...executed, stoppedBecause, left: totals.left, hasTrouble }
}

async function happen(
  { counts, run }: RealStage,
  { what, share }: RealExecution,
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

interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

/** Starts the command with these words, perhaps with a longest file that it may write. */
interface Command {
  (words: readonly string[], fileMaxKib?: number | null): { child: ChildProcess; ended: Promise<Ended> }
  /** Those that are still there. */
  killAll(): void
}

/** In a shell of its own, which may set limits first, and with a state directory of its own. */
function startIn(directory: string, cliPath: string, key: string): Command {
  const environment = { PATH: process.env.PATH, HOME: directory, TZ: 'UTC', ADA_API_KEY: key }
  const env = { ...environment, ADA_BULK_STATE: join(directory, 'state') }
  const children = new Set<ChildProcess>()
  const command = (words: readonly string[], fileMaxKib: number | null = null) => {
    const limit = fileMaxKib === null ? '' : `ulimit -f ${fileMaxKib}; `
    let end: (ended: Ended) => void = () => {}
    const ended = new Promise<Ended>((resolve) => {
      end = resolve
    })
    const child = execFile(
      'bash',
      ['-c', `${limit}exec "$@"`, 'bash', process.execPath, resolve(cliPath), ...words],
      { cwd: directory, env },
      (_error, stdout, stderr) => {
        children.delete(child)
        end({ code: child.exitCode, stdout, stderr })
      },
    )
    children.add(child)
    return { child, ended }
  }
  return Object.assign(command, {
    killAll() {
      for (const child of children) child.kill('SIGKILL')
    },
  })
}

/** The words that begin a run over a list. */
function beginning({ settings }: RealWorld, url: string, path: string, list: string): string[] {
  const { limits, share, concurrency, timeoutMs, attemptsMax } = settings
  const windows = limits === 'none' ? ['none'] : limits.map(({ max, perMs }) => `${max}/${perMs / 1000}s`)
  return [
    ...['run', 'end-conversations', '--input', list, '--hold', 'hold.csv', '--run-dir', path],
    ...['--base-url', url, '--yes', '--quiet', '--share', shareText(share)],
    ...['--concurrency', `${concurrency}`, '--timeout', `${timeoutMs}ms`, '--attempts', `${attemptsMax}`],
    ...['--max-failures', '100%', ...windows.flatMap((window) => ['--api-limit', window])],
  ]
}
