import { requestedMetricsFile, requestedNotifiers } from '../monitor/notifier-addresses.js'
import { type Notifiers, openNotifiers } from '../monitor/notifiers.js'
import { withEnvFile } from '../settings/environment.js'
import type { Flags } from '../settings/flags.js'
import { messageOf } from '../system/text.js'
import { exitCodeOf, type Shell } from './shell.js'

/** Another run is at work, and speaks for itself. */
const tryLater = 75

/**
 * Does the work of a command with those who are to be told of its run: also that it could not start, unless a person
 * sits there and sees it. `job` is how it was typed. What is told last is waited for when all else is closed.
 */
export async function telling(
  flags: Flags,
  shell: Shell,
  job: string | null,
  work: (notices: Notifiers) => Promise<number>,
): Promise<number> {
  const environment = withEnvFile(shell.environment, flags['env-file'])
  const asked = requestedNotifiers(flags, environment)
  let fault: unknown = null
  try {
    asked.push(...requestedMetricsFile(flags, environment))
  } catch (error) {
    fault = error
  }
  const notices = openNotifiers(asked, job, shell.notice)
  try {
    if (fault !== null) throw fault
    const exitCode = await work(notices)
    if (!notices.isLastWordSaid && exitCode !== tryLater) notices.nothingToDo(exitCode)
    return exitCode
  } catch (error) {
    const isUnseen = notices.isStarted || !shell.isInteractive
    if (!notices.isLastWordSaid && isUnseen) notices.failed(exitCodeOf(error), messageOf(error))
    throw error
  } finally {
    await notices.close()
  }
}
