import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { type RunDirectory, readRunFile, runDirectory } from '../../src/checkpoint/directory.js'
import type { Summary } from '../../src/checkpoint/summary.js'
import { withInputAsItIs } from '../../src/commands/input-as-it-is.js'
import { asUsageError } from '../../src/commands/own-directory.js'
import type { Shell } from '../../src/commands/shell.js'
import type { Operation } from '../../src/job.js'
import { changeControl, readControl } from '../../src/monitor/control.js'
import { endConversation } from '../../src/operations/end-conversation.js'
import { openFileLedger } from '../../src/pacing/file.js'
import type { Coordination } from '../../src/runs/coordination.js'
import { prepareRun } from '../../src/runs/create.js'
import { launch } from '../../src/runs/launch.js'
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
const lock = { isHeld: () => true, whenLost() {}, release: async () => {} }

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
      execute(stage, life, root, fate).then(
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

async function execute(stage: Stage, life: Life, root: string, fate: FateOfLife): Promise<Summary> {
  const { world, time, directory: home } = stage
  const directory = runDirectory(join(root, 'run'))
  mkdirSync(directory.path, { recursive: true })
  // Before time passes: what is asked of the execution itself comes later.
  askBefore(stage, life, fate, directory)
  const settings = { ...defaultSettings(job), ...world.settings, maxFailures: { count: null, ratio: null } }
  const asked = existsSync(directory.runFile)
    ? readRunFile(directory)
    : await prepareRun(
        {
          job: { job, name: 'end-conversations', shortName: 'end-conversations' },
          jobFlags: {},
          settings,
          origin,
          isSandbox: false,
          isParallel: false,
          hold: [{ name: 'hold.csv', path: join(home, 'hold.csv') }],
          retryOf: null,
          startedAt: new Date(time.client.wallMs()),
        },
        directory,
        { files: [{ name: 'stale.csv', path: join(home, 'stale.csv') }], live: null },
        null,
        async () => {},
      )
  const { run, state } = await withInputAsItIs(directory, asked, job, null, true, {}, silent)
  const { ending } = life
  return launch({
    directory,
    run,
    state,
    job: { ...job, operation: simulatedOperation(stage, fate) },
    key: tortureKey,
    origin,
    coordination: coordinationOf(stage, root),
    lock,
    stop: fate.stop,
    maxItems: ending.kind === 'max items' ? ending.count : Number.POSITIVE_INFINITY,
    confirmed: run.plan.calls,
    memory: null,
    clock: time.client,
    random: stage.roll,
    log: pino({ enabled: false }),
    onStart() {},
  })
}

/** Between two executions: a pause that outlived the one before is over, and perhaps it shall go slower. */
function askBefore({ counts }: Stage, { throttle }: Life, { disk }: FateOfLife, run: RunDirectory): void {
  const change = (to: Parameters<typeof changeControl>[1]) => disk.aside(() => changeControl(run.control, to))
  if (readControl(run.control)?.control.isPaused) change({ isPaused: false })
  if (throttle === null) return
  change({ share: throttle })
  counts.throttles += 1
}

/** The real operation; its calls go to the simulated API, until the process is dead. */
function simulatedOperation(stage: Stage, fate: FateOfLife): Operation {
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
    ...endConversation,
    attempt(item, _api, attempt) {
      const verdict = endConversation.attempt(item, api, attempt)
      fate.onCall()
      return verdict
    },
  }
}

function coordinationOf({ time, boots }: Stage, root: string): Coordination {
  const stateDirectory = join(root, 'state')
  return {
    stateDirectory,
    openLedger: (instance) =>
      openFileLedger({ directory: stateDirectory, instance, clock: time.client, bootId: `boot${boots}` }),
    lockRun: () => Promise.reject(new Error('The only process of a simulated host needs no lock')),
    close: async () => {},
  }
}

const silent: Shell = {
  environment: {},
  isInteractive: false,
  isStderrTerminal: false,
  print() {},
  notice() {},
  ask: async () => '',
}
