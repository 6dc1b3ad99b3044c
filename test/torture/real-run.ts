import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { changeControl } from '../../src/live/control.js'
import { runDirectory } from '../../src/run-directory.js'
import { type Sandbox, startSandbox } from '../../src/sandbox/server.js'
import { noCounts, type Played } from './counts.js'
import type { LivedLife } from './evidence.js'
import { evidenceOf } from './gather.js'
import { offencesIn } from './invariants.js'
import { type RealLife, type RealWorld, realWorldOf } from './real-world.js'
import { csvOf, type Row } from './rows.js'
import { countCalls, isFinished, tortureKey } from './simulated-run.js'

const calmLivesMax = 6
const calm: RealLife = { what: 'none', atCall: 0, thenMs: 0, share: 1, rows: null }

interface Ended {
  code: number | null
  stdout: string
  stderr: string
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
  const path = join(directory, 'run')
  const run = runDirectory(path)
  mkdirSync(directory, { recursive: true })
  const command = (args: readonly string[], bash = '') => start(resolve(cliPath), args, directory, bash)

  async function live(life: RealLife): Promise<LivedLife> {
    const callsBefore = sandbox.state.arrived
    const isBegun = existsSync(run.runFile)
    const args = isBegun
      ? ['resume', path, '--yes', '--accept-changed-input', '--quiet']
      : beginning(world, sandbox.url, path)
    const { child, ended } = command(args, life.what === 'full disk' ? 'ulimit -f 16; ' : '')
    const expected = world.api.outage ? [4] : []
    if (life.what === 'full disk') {
      counts.fullDisks += 1
      expected.push(2, 4)
    }
    let isOver = false
    void ended.finally(() => {
      isOver = true
    })
    while (!isOver && sandbox.state.arrived - callsBefore < life.atCall) await delay(2)
    await delay(life.thenMs)
    if (!isOver) await happen(life, child.pid!, expected)
    const { code, stderr } = await ended
    counts.executions += 1
    const isKilled = life.what === 'SIGKILL' && code === null
    if (code === 1 || (code === null && !isKilled)) throw new Error(`ended with ${code}: ${stderr}`)
    if (/\n {4}at /.test(stderr)) throw new Error(`a stack: ${stderr}`)
    const crash = isKilled ? ('kill' as const) : null
    if (code === null || code === 2)
      return {
        exitCode: code,
        stoppedBecause: null,
        left: null,
        hasTrouble: false,
        expected,
        asked: [],
        crash,
      }
    const { stoppedBecause, totals } = JSON.parse(readFileSync(run.summary, 'utf8'))
    const hasTrouble = totals.failed + totals.unknown + totals.invalid > 0
    return { exitCode: code, stoppedBecause, left: totals.left, hasTrouble, expected, asked: [], crash }
  }

  async function happen({ what, share }: RealLife, pid: number, expected: number[]): Promise<void> {
    switch (what) {
      case 'SIGKILL':
        counts.kills += 1
        return void process.kill(pid, 'SIGKILL')
      case 'SIGTERM':
        counts.stops += 1
        expected.push(143)
        return void process.kill(pid, 'SIGTERM')
      case 'SIGSTOP':
        counts.freezes += 1
        process.kill(pid, 'SIGSTOP')
        await delay(400)
        return void process.kill(pid, 'SIGCONT')
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

  try {
    const lives: LivedLife[] = []
    const everListed = new Set(world.rows)
    let rows: readonly Row[] = world.rows
    const list = join(directory, 'stale.csv')
    writeFileSync(list, csvOf(rows))
    writeFileSync(join(directory, 'hold.csv'), csvOf(world.held))
    for (let number = 0; number < world.realLives.length + calmLivesMax; number++) {
      const life = world.realLives[number] ?? calm
      // A kill may have come when all was done.
      const isDone =
        existsSync(run.summary) && JSON.parse(readFileSync(run.summary, 'utf8')).stoppedBecause === null
      if (life.rows !== null && !isDone) {
        rows = life.rows
        counts.editedInputs += 1
        for (const id of rows) everListed.add(id)
        writeFileSync(list, csvOf(rows))
      }
      const lived = await live(life)
      lives.push(lived)
      if (isFinished(lived)) break
    }
    const verify = async () => JSON.parse((await command(['verify', path, '--json']).ended).stdout)
    const scene = {
      world,
      rows,
      everListed,
      lives,
      state: sandbox.state,
      runDirectory: path,
      everywhere: directory,
    }
    const offences = offencesIn(await evidenceOf({ ...scene, key: tortureKey, verify }))
    countCalls(counts, sandbox.state, world)
    return { seed, counts, offences }
  } catch (error) {
    return { seed, counts, offences: [`a run comes to its end without a bug: ${(error as Error).stack}`] }
  } finally {
    await close(sandbox)
  }
}

const close = (sandbox: Sandbox) => sandbox.close()

function beginning({ settings }: RealWorld, url: string, path: string): string[] {
  const { limits, share, concurrency, timeoutMs, attemptsMax } = settings
  const windows = limits === 'none' ? ['none'] : limits.map(({ max, perMs }) => `${max}/${perMs / 1000}s`)
  return [
    ...`run end-conversations --input stale.csv --hold hold.csv --run-dir ${path} --base-url ${url} --yes --quiet`.split(
      ' ',
    ),
    ...`--share ${share * 100}% --concurrency ${concurrency} --timeout ${timeoutMs}ms --attempts ${attemptsMax}`.split(
      ' ',
    ),
    ...['--max-failures', '100%', ...windows.flatMap((window) => ['--limit', window])],
  ]
}

/** In a shell of its own, which may set limits first. */
function start(cliPath: string, args: readonly string[], directory: string, bash: string) {
  const environment = { PATH: process.env.PATH, HOME: directory, TZ: 'UTC', ADA_API_KEY: tortureKey }
  let end: (ended: Ended) => void = () => {}
  const ended = new Promise<Ended>((resolve) => {
    end = resolve
  })
  const child = execFile(
    'bash',
    ['-c', `${bash}exec "$@"`, 'bash', process.execPath, cliPath, ...args],
    { cwd: directory, env: { ...environment, ADA_BULK_STATE: join(directory, 'state') } },
    (_error, stdout, stderr) => end({ code: child.exitCode, stdout, stderr }),
  )
  return { child, ended }
}
