import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { vi } from 'vitest'
import { command as runCommand } from '../../src/commands/run.js'
import type { Terminal } from '../../src/commands/terminal.js'
import { type Sandbox, startSandbox } from '../sandbox/sandboxes.js'

export const dayMs = 86_400_000
export const idleMs = 14 * dayMs

/** How one night's run ended, and what it said. */
export interface Night {
  /** 99: it was killed. */
  exitCode: number
  said: string
}

export interface NightOptions {
  more?: Record<string, unknown>
  /** The API is down from this conversation call on; 0: from the download on. */
  downFrom?: number
  /** The host loses power when this conversation call arrives; 0: when the second page is asked for. */
  killAt?: number
  /** Customers who write when the run asks for their conversation. */
  comingBack?: readonly string[]
  /** Looks at a part of what is stale only. */
  isTry?: boolean
  /** What the job remembers of this night does not reach the disk, though its checkpoint does. */
  isMemoryLost?: boolean
}

type Special = 'voice' | 'missing' | 'broken'

/** An instance of Ada with its customers, and the host on which the job runs every night. */
export class World {
  /** What must never happen, as sentences. */
  readonly offences: string[] = []
  readonly specials = new Map<string, Special>()
  readonly held = new Set<string>()
  readonly ids: string[] = []
  /** Conversation calls, over all nights. */
  calls = 0
  readonly #directory = mkdtempSync(join(tmpdir(), 'ada-bulk-nights-'))
  readonly #sandbox: Sandbox
  readonly #outage: { afterMs: number; forMs: number }
  /** What a run has settled, by ID: for good, or until the conversation is touched; and when. */
  readonly #settled = new Map<string, { isDone: boolean; atMs: number }>()
  #onCall: (id: string) => void = () => {}
  #onPage: () => void = () => {}

  static async open(options: { endingUpdates: boolean; nowMs: number }): Promise<World> {
    vi.setSystemTime(options.nowMs)
    const outage = { afterMs: 0, forMs: 0 }
    const sandbox = await startSandbox({
      clock: { wallMs: () => Date.now(), monotonicMs: () => Date.now(), sleep: async () => {} },
      endingUpdates: options.endingUpdates,
      limits: 'none',
      exportLimits: 'none',
      pageSizeMin: 1,
      key: 'key-of-the-nights',
      keepCalls: true,
      outage,
    })
    return new World(sandbox, outage)
  }

  private constructor(sandbox: Sandbox, outage: { afterMs: number; forMs: number }) {
    this.#sandbox = sandbox
    this.#outage = outage
    const { conversations } = sandbox.state
    conversations.specialOf = (id) => this.specials.get(id)
    const arrive = sandbox.state.arrive.bind(sandbox.state)
    sandbox.state.arrive = (id) => {
      if (id === null) this.#onPage()
      else {
        this.calls += 1
        this.#onCall(id)
      }
      return arrive(id)
    }
    const end = conversations.end.bind(conversations)
    conversations.end = (id, nowMs) => {
      if (nowMs - this.updatedMs(id) < idleMs) this.offences.push(`${id} was ended, though it is not stale`)
      if (this.held.has(id)) this.offences.push(`${id} was ended, though it is on hold`)
      if (conversations.isEnded(id)) this.offences.push(`${id} was ended twice`)
      return end(id, nowMs)
    }
  }

  async close(): Promise<void> {
    await this.#sandbox.close()
    rmSync(this.#directory, { recursive: true, force: true })
  }

  start(id: string, createdMs: number, updatedMs = createdMs, isEnded = false): void {
    this.ids.push(id)
    this.#sandbox.state.conversations.add({ id, createdAtMs: createdMs, updatedAtMs: updatedMs, isEnded })
  }

  /** The customer writes. */
  touch(id: string): void {
    this.#sandbox.state.conversations.touch(id, Date.now())
  }

  /** Something moves the date of an ended conversation: the answer to a survey. */
  surveyAnswered(id: string): void {
    const { listed } = this.#sandbox.state.conversations
    listed.update(listed.get(id)!, Date.now())
  }

  /** Calls that a night made for a conversation. */
  callsFor(id: string, method?: string): number {
    return this.#sandbox.state.calls.filter((call) => call.id === id && (!method || call.method === method))
      .length
  }

  isEnded(id: string): boolean {
    return this.#sandbox.state.isEnded(id)
  }

  updatedMs(id: string): number {
    return this.#sandbox.state.conversations.listed.get(id)!.updatedAtMs
  }

  /** Those that a run of now has to end. */
  staleIds(): string[] {
    return this.ids.filter(
      (id) =>
        !this.isEnded(id) &&
        !this.held.has(id) &&
        !this.specials.has(id) &&
        this.updatedMs(id) <= Date.now() - idleMs,
    )
  }

  /** Runs `cleanup` as cron does. */
  async night({
    more = {},
    downFrom,
    killAt,
    comingBack = [],
    isMemoryLost = false,
    isTry = false,
  }: NightOptions = {}): Promise<Night> {
    const stale = this.staleIds()
    const { calls } = this.#sandbox.state
    const callsBefore = calls.length
    const touched = new Set(comingBack)
    let conversationCalls = 0
    let pages = 0
    let isKilled = false
    const called = new Set<string>()
    const goDown = () => {
      this.#outage.forMs = Number.POSITIVE_INFINITY
    }
    const kill = () => {
      if (!isKilled)
        cpSync(join(this.#directory, 'disk'), join(this.#directory, 'at-kill'), { recursive: true })
      isKilled = true
      goDown()
    }
    if (downFrom === 0) goDown()
    this.#onPage = () => {
      pages += 1
      if (killAt === 0 && pages === 2) kill()
    }
    this.#onCall = (id) => {
      conversationCalls += 1
      if (!called.has(id)) this.#expectCause(id)
      called.add(id)
      if (touched.delete(id)) this.touch(id)
      if (conversationCalls === downFrom) goDown()
      if (conversationCalls === killAt) kill()
    }
    const memory = join(this.#directory, 'disk/state/memory')
    const memoryBefore = join(this.#directory, 'memory-before')
    if (isMemoryLost && existsSync(memory)) cpSync(memory, memoryBefore, { recursive: true })
    const night = await this.#run(more)
    this.#outage.forMs = 0
    if (isMemoryLost) {
      rmSync(memory, { recursive: true })
      if (existsSync(memoryBefore)) renameSync(memoryBefore, memory)
    }
    if (isKilled) {
      rmSync(join(this.#directory, 'disk'), { recursive: true })
      cpSync(join(this.#directory, 'at-kill'), join(this.#directory, 'disk'), { recursive: true })
      rmSync(join(this.#directory, 'at-kill'), { recursive: true })
      rmSync(join(this.#directory, 'disk/state/locks'), { recursive: true, force: true })
      for (const run of this.#runs()) {
        for (const file of readdirSync(run).filter((name) => name.startsWith('.lock')))
          rmSync(join(run, file))
      }
      return { ...night, exitCode: 99 }
    }
    this.#learn()
    const late = calls
      .slice(callsBefore)
      .filter(({ id, method }) => method === 'POST' && comingBack.includes(id ?? ''))
    for (const { id } of late) this.offences.push(`${id} was to be ended, though the customer came back`)
    const isWhole = !isTry && more.idle === undefined && downFrom === undefined && more.continue === undefined
    if (isWhole && (night.exitCode === 0 || night.exitCode === 3)) {
      const missed = stale.filter((id) => !this.isEnded(id) && !comingBack.includes(id))
      for (const id of missed) this.offences.push(`${id} is stale and was not ended`)
    }
    return night
  }

  async #run(more: Record<string, unknown>): Promise<Night> {
    const lines: string[] = []
    const hold = join(this.#directory, 'hold.csv')
    writeFileSync(hold, `conversation_id\n${[...this.held].map((id) => `${id}\n`).join('')}`)
    const shell: Terminal = {
      environment: {
        ADA_API_KEY: 'key-of-the-nights',
        ADA_BASE_URL: this.#sandbox.url,
        ADA_BULK_STATE: join(this.#directory, 'disk/state'),
        ADA_BULK_RUNS: join(this.#directory, 'disk/runs'),
      },
      isInteractive: false,
      isStderrTerminal: false,
      print: (text) => void lines.push(text),
      notice: (text) => void lines.push(text),
      ask: async () => '',
    }
    const flags = {
      job: 'cleanup',
      yes: true,
      quiet: false,
      'api-limit': ['none'],
      attempts: '2',
      'max-outage': '20s',
      'page-size': '100',
      ...(this.held.size > 0 ? { hold: [hold] } : {}),
      ...more,
    }
    const exitCode = await runCommand.run(flags as never, shell).catch((error: unknown) => {
      if (error instanceof Error && error.name === 'UsageError') {
        lines.push(error.message)
        return (error as { exitCode?: number }).exitCode ?? 2
      }
      lines.push(String((error as Error).stack))
      return 1
    })
    return { exitCode, said: lines.join('\n') }
  }

  #runs(): string[] {
    const runs = join(this.#directory, 'disk/runs')
    return existsSync(runs) ? readdirSync(runs).map((name) => join(runs, name)) : []
  }

  /** Reads in the reports what is settled, and need not be called again. */
  #learn(): void {
    for (const run of this.#runs()) {
      const report = join(run, 'report.csv')
      if (!existsSync(report)) continue
      for (const row of parse(readFileSync(report), { columns: true }) as Record<string, string>[]) {
        const { id = '', status, reason, finished_at: at = '' } = row
        const isDone = status === 'succeeded'
        if (isDone || reason === 'not_found' || reason === 'rejected') {
          const atMs = Math.max(Date.parse(at), this.#settled.get(id)?.atMs ?? 0)
          this.#settled.set(id, { isDone: isDone || (this.#settled.get(id)?.isDone ?? false), atMs })
        }
      }
    }
  }

  #expectCause(id: string): void {
    const settled = this.#settled.get(id)
    if (settled === undefined) return
    const isTouched = this.updatedMs(id) > settled.atMs
    if (settled.isDone || !isTouched) this.offences.push(`${id} was called again, though it was settled`)
  }
}
