import { setTimeout as delay } from 'node:timers/promises'
import { type RunDirectory, readRunFile } from '../checkpoint/directory.js'
import { jobShortName } from '../checkpoint/run-file.js'
import type { Coordination, RunLock, WantedRun } from '../runs/coordination.js'
import { runState } from '../runs/state.js'
import { lockedText } from './locked-text.js'
import type { Shell } from './shell.js'

const lookEveryMs = 1000

/** Takes a run's locks; with `isPatient` waits for them. Null when another run has them, which is said. */
export async function takeLocks(
  coordination: Coordination,
  wanted: WantedRun & { shortName: string },
  isPatient: boolean | undefined,
  shell: Shell,
): Promise<RunLock | null> {
  for (let isFirst = true; ; isFirst = false) {
    const attempt = await coordination.lockRun(wanted)
    if (attempt.lock !== null) return attempt.lock
    const { shortName, instance } = wanted
    if (isFirst) shell.notice(lockedText(shortName, instance, attempt.holder, isPatient))
    if (!isPatient) return null
    await delay(lookEveryMs)
  }
}

/** Whether no process works on a run; with `isPatient` waits until it is so. Says who is at work. */
export async function isIdle(
  directory: RunDirectory,
  isPatient: boolean | undefined,
  shell: Shell,
): Promise<boolean> {
  for (let isFirst = true; ; isFirst = false) {
    const state = runState(directory)
    if (state.kind !== 'running') return true
    const { job, instance } = readRunFile(directory)
    if (isFirst) shell.notice(lockedText(jobShortName(job), instance, state.holder, isPatient))
    if (!isPatient) return false
    await delay(lookEveryMs)
  }
}
