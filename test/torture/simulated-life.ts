import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { type RunDirectory, readRunFile, runDirectory } from '../../src/checkpoint/directory.js'
import type { Summary } from '../../src/checkpoint/summary.js'
import type { Api } from '../../src/job.js'
import { changeControl, readControl } from '../../src/monitor/status.js'
import { endConversation } from '../../src/operations/end-conversation.js'
import { openFileLedger } from '../../src/pacing/file.js'
import { createRun } from '../../src/runs/create.js'
import { execute } from '../../src/runs/execute.js'
import type { Host } from '../../src/runs/host.js'
import { asUsageError, reopenRun } from '../../src/runs/open.js'
import { defaultSettings } from '../../src/settings/run-settings.js'
import { UsageError } from '../../src/system/errors.js'
import type { LivedLife } from './evidence.js'
import { FateOfLife } from './fate.js'
import { simulatedApi } from './simulated-api.js'
import { type Stage, tortureKey } from './simulated-run.js'
import type { Life } from './world.js'

export interface SimulatedLife extends LivedLife {
  diedTo: string | null
}

const origin = 'https://acme.ada.support'
const job = { describe: 'Ends every conversation of a list.', operation: endConversation }

/** One execution, on a disk of its own; the next begins with what this one leaves. */
export async function liveSimulated(
  stage: Stage,
  life: Life,
  root: string,
  number: number,
): Promise<SimulatedLife> {
  const fate = new FateOfLife(stage, life, root, number)
  let summary: Summary | null = null
  let failure: unknown = null
  try {
    await stage.time.until(
      executeSimulated(stage, life, root, fate).then(
        (ended) => {
          summary = ended
        },
        (error) => {
          failure = error
        },
      ),
    )
  } finally {
    fate.over()
  }
  const { crash, diedTo, expected, asked } = fate
  const lived = { crash, diedTo, expected, asked, stoodStill: life.mishap?.kind === 'freeze' }
  if (crash !== null) return { ...lived, exitCode: null, stoppedBecause: null, left: null, hasTrouble: false }
  if (failure !== null) {
    // Of a disk that fails the command line makes a sentence; anything else is a bug.
    const isOfDisk = asUsageError(failure, root) instanceof UsageError
    if (!isOfDisk || !expected.includes(2) || fate.calls > 0) throw failure
    return { ...lived, exitCode: 2, stoppedBecause: null, left: null, hasTrouble: false }
  }
  const { exitCode, stoppedBecause, totals } = summary!
  const hasTrouble = totals.failed + totals.unknown + totals.invalid > 0
  return { ...lived, exitCode, stoppedBecause, left: totals.left, hasTrouble }
}

async function executeSimulated(stage: Stage, life: Life, root: string, fate: FateOfLife): Promise<Summary> {
  const { world, time, directory: home } = stage
  const directory = runDirectory(join(root, 'run'))
  mkdirSync(directory.path, { recursive: true })
  // Before time passes: what is asked of the execution itself comes later.
  askBefore(stage, life, fate, directory)
  const settings = { ...defaultSettings(job), ...world.settings, maxFailures: { count: null, ratio: null } }
  const host = hostOf(stage, root)
  const run = existsSync(directory.runFile)
    ? await reopenRun(directory, readRunFile(directory), job, origin, null, host, neverBusy, () => {})
    : await createRun(
        {
          job: { job, name: 'end-conversations', shortName: 'end-conversations' },
          jobFlags: {},
          settings,
          isSandbox: false,
          isPractice: false,
          isParallel: false,
          hold: [{ name: 'hold.csv', path: join(home, 'hold.csv') }],
          retryOf: null,
          pseudonyms: null,
        },
        origin,
        { directory, startedAt: new Date(time.client.wallMs()), discard() {} },
        host,
        neverBusy,
        async () => ({ files: [{ name: 'stale.csv', path: join(home, 'stale.csv') }], live: null }),
        async () => {},
      )
  const { ending } = life
  return execute(run, {
    clock: time.client,
    random: stage.roll,
    openApi: async () => ({ ...networkOf(stage, fate), close: async () => {} }),
    openLedger: host.openLedger,
    key: tortureKey,
    stop: fate.stop,
    log: pino({ enabled: false }),
    limits: {
      maxItems: ending.kind === 'max items' ? ending.count : Number.POSITIVE_INFINITY,
      confirmed: run.file.plan.calls,
    },
  })
}

function hostOf({ time, boots }: Stage, root: string): Host {
  const stateDirectory = join(root, 'state')
  return {
    stateDirectory,
    openLedger: async (instance) =>
      openFileLedger({ directory: stateDirectory, instance, clock: time.client, bootId: `boot${boots}` }),
    // The only process of a simulated host needs no lock.
    lockRun: async () => ({ isHeld: () => true, whenLost() {}, release: async () => {} }),
    async [Symbol.asyncDispose]() {},
  }
}

const neverBusy = () => {}

/** Between two executions: a pause that outlived the one before is over, and perhaps it shall go slower. */
function askBefore({ counts }: Stage, { throttle }: Life, { disk }: FateOfLife, run: RunDirectory): void {
  const change = (to: Parameters<typeof changeControl>[1]) => disk.aside(() => changeControl(run.control, to))
  if (readControl(run.control)?.control.isPaused) change({ isPaused: false })
  if (throttle === null) return
  change({ share: throttle })
  counts.throttles += 1
}

/** The simulated API, until the process is dead. */
function networkOf(stage: Stage, fate: FateOfLife): Api {
  const { world, time, ada, counts, roll } = stage
  const api = simulatedApi({
    ada,
    key: tortureKey,
    timeoutMs: world.settings.timeoutMs,
    time,
    random: roll,
    unreachableRate: (world.api.dropRate ?? 0) / 4,
    silenceRate: (world.api.dropRate ?? 0) / 8,
    isKeyRefused: () => fate.isKeyRefused,
    isInStorm: () => fate.isInStorm,
    counts,
  })
  return {
    call(request) {
      const answer = api.call(request)
      fate.onCall()
      return answer
    },
  }
}
