import { basename, join } from 'node:path'
import { runDirectory } from '../../src/checkpoint/directory.js'
import { changeControl } from '../../src/monitor/status.js'
import { Stop } from '../../src/system/stop.js'
import { copyBelow, Disk, type Step } from './disk.js'
import type { Asked, Executed } from './evidence.js'
import type { Stage } from './simulated-run.js'
import type { Ending, Execution, Instant } from './world.js'

/** What happens to a simulated execution, whatever it does. */
export class Faults {
  readonly disk: Disk
  readonly stop = new Stop()
  /** The disk as the death has left it; null while it executions. */
  diedTo: string | null = null
  crash: Executed['crash'] = null
  isKeyRefused = false
  isInStorm = false
  calls = 0
  readonly expected: number[] = []
  readonly asked: Asked[] = []
  readonly #stage: Stage
  readonly #execution: Execution
  readonly #next: string
  readonly #forget: (() => void)[] = []
  #root: string
  #hasFailed = false

  constructor(stage: Stage, execution: Execution, root: string, number: number) {
    this.#stage = stage
    this.#execution = execution
    this.#root = root
    this.#next = join(stage.directory, `execution-${number + 1}`)
    this.disk = new Disk(root)
    this.disk.syncMs = stage.world.syncMs
    this.disk.beforeStep = (step) => this.#onStep(step)
    const { outage, errorRate, dropRate } = stage.world.api
    // The API may fail for longer than the run has patience.
    if (outage || errorRate || dropRate || execution.storm) this.expected.push(4)
    this.#planEnding()
    this.#planMishap()
    this.#planStorm()
    this.#planAsked()
  }

  onCall(): void {
    this.calls += 1
    const { ending } = this.#execution
    if (isDeath(ending) && 'atCall' in ending.at && ending.at.atCall === this.calls) this.#die(ending.kind)
  }

  over(): void {
    for (const forget of this.#forget) forget()
    for (const asked of this.asked) asked.toMs = Math.min(asked.toMs, this.#stage.time.nowMs)
    this.disk.close()
  }

  /** What happens at some time. */
  #plan(inMs: number, happen: () => void): void {
    this.#forget.push(this.#stage.time.plan(inMs, happen))
  }

  #planEnding(): void {
    const { ending } = this.#execution
    const { time, counts } = this.#stage
    if (isDeath(ending) && 'atMs' in ending.at) this.#plan(ending.at.atMs, () => this.#die(ending.kind))
    if (ending.kind === 'max items') this.expected.push(75)
    if (ending.kind === 'key refused') {
      this.#plan(ending.atMs, () => {
        this.isKeyRefused = true
        counts.refusedKeys += 1
        this.expected.push(4)
      })
    }
    if (ending.kind !== 'SIGTERM') return
    const { atMs, killedAfterMs } = ending
    const soon = (inMs: number, happen: () => void) => this.#forget.push(time.planForClient(inMs, happen))
    soon(atMs, () => {
      counts.stops += 1
      this.expected.push(143)
      this.stop.request({ exitCode: 143, because: 'SIGTERM received' })
      soon(15_000, () => this.stop.abortCalls())
    })
    if (killedAfterMs !== null) this.#plan(atMs + killedAfterMs, () => this.#die('kill'))
  }

  #planMishap(): void {
    const { mishap } = this.#execution
    const { time, counts } = this.#stage
    if (mishap === null) return
    this.#plan(mishap.atMs, () => {
      if (mishap.kind === 'clock') {
        counts.clockJumps += 1
        time.jumpWall(mishap.ms)
      } else {
        counts.freezes += 1
        time.freeze(Math.abs(mishap.ms))
      }
    })
  }

  #planStorm(): void {
    const { storm } = this.#execution
    if (storm === null) return
    this.#plan(storm.atMs, () => {
      this.isInStorm = true
      this.#stage.counts.storms += 1
    })
    this.#plan(storm.atMs + storm.forMs, () => {
      this.isInStorm = false
    })
  }

  #planAsked(): void {
    const { asked, mishap } = this.#execution
    if (asked === null) return
    const { time, counts } = this.#stage
    const change = (to: Parameters<typeof changeControl>[1]) => {
      // The dead are asked for nothing.
      if (this.diedTo === null)
        this.disk.aside(() => changeControl(runDirectory(join(this.#root, 'run')).control, to))
    }
    const isPause = asked.kind === 'pause'
    this.#plan(asked.atMs, () => {
      counts[isPause ? 'pauses' : 'throttles'] += 1
      change(isPause ? { isPaused: true } : { share: asked.share })
      // Who stands still does not look.
      if (mishap?.kind === 'freeze') return
      const toMs = isPause ? time.nowMs + asked.forMs : Number.POSITIVE_INFINITY
      this.asked.push({ share: isPause ? 0 : asked.share, fromMs: time.nowMs, toMs })
    })
    if (isPause) this.#plan(asked.atMs + asked.forMs, () => change({ isPaused: false }))
  }

  #onStep(step: Step): void {
    // The dead write nothing, and what they try ends the sooner.
    if (this.diedTo !== null) throw diskError('EIO', step)
    const { ending } = this.#execution
    if (isDeath(ending) && 'atStep' in ending.at && ending.at.atStep === this.disk.steps) {
      this.#die(ending.kind, step)
      throw diskError('EIO', step)
    }
    if (ending.kind === 'full disk' && this.#isFull(step, ending.at)) {
      const { fullAt } = this.#stage.counts
      if (!this.#hasFailed) fullAt[fileOf(step)] = (fullAt[fileOf(step)] ?? 0) + 1
      this.#fail(step, 'fullDisks', 'ENOSPC')
    }
    if (ending.kind === 'broken disk' && step.name === 'sync' && this.disk.steps >= ending.atStep)
      this.#fail(step, 'brokenDisks', 'EIO')
  }

  #isFull({ name, path }: Step, at: { atStep: number } | { atFile: string }): boolean {
    if (name !== 'write' && name !== 'make') return false
    if (this.#hasFailed) return true
    return 'atStep' in at ? this.disk.steps >= at.atStep : fileOf({ path }).endsWith(at.atFile)
  }

  #fail(step: Step, count: 'fullDisks' | 'brokenDisks', code: 'ENOSPC' | 'EIO'): never {
    if (!this.#hasFailed) {
      this.#stage.counts[count] += 1
      this.expected.push(2, 4)
    }
    this.#hasFailed = true
    step.tear(0.5)
    throw diskError(code, step)
  }

  /** What it leaves is copied; it goes on for a while, but nobody hears of it any more. */
  #die(kind: 'kill' | 'power cut', step?: Step): void {
    const { ending } = this.#execution
    if (this.diedTo !== null) return
    this.diedTo = this.#next
    this.crash = kind
    if (isDeath(ending)) step?.tear(ending.tornPart)
    if (kind === 'kill') copyBelow(this.#root, this.#next)
    else this.disk.cut(this.#next, this.#stage.roll)
    const count = ending.kind === 'SIGTERM' ? 'killsAfterStop' : kind === 'kill' ? 'kills' : 'powerCuts'
    this.#stage.counts[count] += 1
    this.stop.request({ exitCode: 75, because: 'it is dead' })
    this.stop.abortCalls()
  }
}

/** As people call it: without what stands beside a file until it is whole, and whatever the number of the ledger. */
function fileOf({ path }: Pick<Step, 'path'>): string {
  return basename(path)
    .replace(/(\.\d+)?\.tmp$/, '')
    .replace(/^(\d+\.log|\.new-.*)$/, 'ledger.log')
}

const isDeath = (ending: Ending): ending is Extract<Ending, { at: Instant }> =>
  ending.kind === 'kill' || ending.kind === 'power cut'

function diskError(code: 'ENOSPC' | 'EIO', { name }: Step): Error {
  return Object.assign(new Error(`${code}: simulated, ${name}`), { code, errno: -1, syscall: name })
}
