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
import type { Executed } from './evidence.js'
import { Faults } from './faults.js'
import { tortureKey } from './play.js'
import { simulatedApi } from './simulated-api.js'
import type { Stage } from './simulated-run.js'
import type { Execution } from './world.js'

export interface SimulatedExecution extends Executed {
  diedTo: string | null
}

const origin = 'https://acme.ada.support'
const job = { describe: 'Ends every conversation of a list.', operation: endConversation }

/** One execution, on a disk of its own; the next begins with what this one leaves. */
export async function playExecution(
  stage: Stage,
  execution: Execution,
  root: string,
  number: number,
): Promise<SimulatedExecution> {
  const faults = new Faults(stage, execution, root, number)
  let summary: Summary | null = null
  let failure: unknown = null
  try {
    await stage.time.until(
      executeSimulated(stage, execution, root, faults).then(
        (ended) => {
          summary = ended
        },
        (error) => {
          failure = error
        },
      ),
    )
  } finally {
    faults.over()
  }
  const { crash, diedTo, expected, asked } = faults
  const executed = { crash, diedTo, expected, asked, stoodStill: execution.mishap?.kind === 'freeze' }
  if (crash !== null)
    return { ...executed, exitCode: null, stoppedBecause: null, left: null, hasTrouble: false }
  if (failure !== null) {
    // The command line makes a sentence of a failing disk; anything else is a bug.
    const isOfDisk = asUsageError(failure, root) instanceof UsageError
    if (!isOfDisk || !expected.includes(2) || faults.calls > 0) throw failure
    return { ...executed, exitCode: 2, stoppedBecause: null, left: null, hasTrouble: false }
  }
  const { exitCode, stoppedBecause, totals } = summary!
  const hasTrouble = totals.failed + totals.unknown + totals.invalid > 0
  return { ...executed, exitCode, stoppedBecause, left: totals.left, hasTrouble }
}

async function executeSimulated(
  stage: Stage,
  execution: Execution,
  root: string,
  faults: Faults,
): Promise<Summary> {
  const { world, time, directory: home } = stage
  const directory = runDirectory(join(root, 'run'))
  mkdirSync(directory.path, { recursive: true })
  // Before time passes: what is asked of the execution itself comes later.
  askBefore(stage, execution, faults, directory)
  const nothing = () => {}
  const settings = { ...defaultSettings(job), ...world.settings, maxFailures: { count: null, ratio: null } }
  const host = hostOf(stage, root)
  const run = existsSync(directory.runFile)
    ? await reopenRun(
        directory,
        readRunFile(directory),
        job,
        origin,
        null,
        host,
        neverBusy,
        nothing,
        false,
        nothing,
      )
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
  const { ending } = execution
  return execute(run, {
    clock: time.client,
    random: stage.roll,
    openApi: async () => ({ ...networkOf(stage, faults), close: async () => {} }),
    openLedger: host.openLedger,
    key: tortureKey,
    stop: faults.stop,
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
function askBefore({ counts }: Stage, { throttle }: Execution, { disk }: Faults, run: RunDirectory): void {
  const change = (to: Parameters<typeof changeControl>[1]) => disk.aside(() => changeControl(run.control, to))
  if (readControl(run.control)?.control?.isPaused) change({ isPaused: false })
  if (throttle === null) return
  change({ share: throttle })
  counts.throttles += 1
}

/** The simulated API, until the process is dead. */
function networkOf(stage: Stage, faults: Faults): Api {
  const { world, time, ada, counts, roll } = stage
  const api = simulatedApi({
    ada,
    key: tortureKey,
    timeoutMs: world.settings.timeoutMs,
    time,
    random: roll,
    unreachableRate: (world.api.dropRate ?? 0) / 4,
    silenceRate: (world.api.dropRate ?? 0) / 8,
    isKeyRefused: () => faults.isKeyRefused,
    isInStorm: () => faults.isInStorm,
    counts,
  })
  return {
    call(request) {
      const answer = api.call(request)
      faults.onCall()
      return answer
    },
  }
}
