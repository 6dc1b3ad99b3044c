import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { Stop } from '../../src/stop.js'
import { Disk, type Step } from './disk.js'
import type { LivedLife } from './evidence.js'
import type { Stage } from './simulated-run.js'
import type { Life } from './world.js'

/** What happens to a simulated life, whatever it does. */
export class FateOfLife {
  readonly disk: Disk
  readonly stop = new Stop()
  /** The disk as the death has left it; null while it lives. */
  diedTo: string | null = null
  isKeyRefused = false
  calls = 0
  readonly expected: number[] = []
  readonly #stage: Stage
  readonly #life: Life
  readonly #next: string
  readonly #forget: (() => void)[] = []
  #root: string

  constructor(stage: Stage, life: Life, root: string, number: number) {
    this.#stage = stage
    this.#life = life
    this.#root = root
    this.#next = join(stage.directory, `life-${number + 1}`)
    this.disk = new Disk(root)
    this.disk.beforeStep = (step) => this.#onStep(step)
    const { outage, errorRate, dropRate } = stage.world.api
    // The API may fail for longer than the run has patience.
    if (outage || errorRate || dropRate) this.expected.push(4)
    this.#plan()
  }

  get crash(): LivedLife['crash'] {
    const { kind } = this.#life.ending
    return this.diedTo !== null && (kind === 'kill' || kind === 'power cut') ? kind : null
  }

  onCall(): void {
    this.calls += 1
    const { ending } = this.#life
    if ('at' in ending && 'atCall' in ending.at && ending.at.atCall === this.calls) this.#die()
  }

  over(): void {
    for (const forget of this.#forget) forget()
    this.disk.close()
  }

  #plan(): void {
    const { ending, mishap } = this.#life
    const { time, counts } = this.#stage
    const plan = (inMs: number, happen: () => void | Promise<void>) =>
      void this.#forget.push(time.plan(inMs, happen))
    if ('at' in ending && 'atMs' in ending.at) plan(ending.at.atMs, () => this.#die())
    if (ending.kind === 'max items') this.expected.push(75)
    if (ending.kind === 'key refused') {
      plan(ending.atMs, () => {
        this.isKeyRefused = true
        counts.refusedKeys += 1
        this.expected.push(4)
      })
    }
    if (ending.kind === 'SIGTERM') {
      plan(ending.atMs, () => {
        counts.stops += 1
        this.expected.push(143)
        this.stop.request({ exitCode: 143, because: 'SIGTERM received' })
        plan(15_000, () => this.stop.abortCalls())
      })
    }
    if (mishap?.kind === 'clock') {
      plan(mishap.atMs, () => {
        counts.clockJumps += 1
        time.client.jumpWall(mishap.ms)
      })
    }
    if (mishap?.kind === 'freeze') {
      plan(mishap.atMs, () => {
        counts.freezes += 1
        return time.freeze(Math.abs(mishap.ms))
      })
    }
  }

  #onStep(step: Step): void {
    if (this.diedTo !== null) return
    const { ending } = this.#life
    if ('at' in ending && 'atStep' in ending.at && ending.at.atStep === this.disk.steps) this.#die(step)
    if (ending.kind === 'full disk' && (step.name === 'write' || step.name === 'make'))
      this.#fail(step, ending)
    if (ending.kind === 'broken disk' && step.name === 'sync') this.#fail(step, ending)
  }

  #fail(step: Step, ending: { kind: 'full disk' | 'broken disk'; atStep: number }): void {
    if (this.disk.steps < ending.atStep) return
    if (!this.expected.includes(2))
      this.#stage.counts[ending.kind === 'full disk' ? 'fullDisks' : 'brokenDisks'] += 1
    this.expected.push(2, 4)
    step.tear(0.5)
    const code = ending.kind === 'full disk' ? 'ENOSPC' : 'EIO'
    throw Object.assign(new Error(`${code}: simulated, ${step.name}`), {
      code,
      errno: -1,
      syscall: step.name,
    })
  }

  /** What it leaves is copied; it goes on for a while, but nobody hears of it any more. */
  #die(step?: Step): void {
    const { ending } = this.#life
    if (this.diedTo !== null || !('at' in ending)) return
    this.diedTo = this.#next
    step?.tear(ending.tornPart)
    if (ending.kind === 'kill') cpSync(this.#root, this.#next, { recursive: true })
    else this.disk.cut(this.#next, this.#stage.roll)
    this.#stage.counts[ending.kind === 'kill' ? 'kills' : 'powerCuts'] += 1
    this.stop.request({ exitCode: 75, because: 'it is dead' })
    this.stop.abortCalls()
  }
}
