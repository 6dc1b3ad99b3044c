import { UsageError } from '../system/errors.js'
import { counted, inDigits } from '../system/text.js'
import type { Shell } from './shell.js'

/** Refuses at once where nobody can be asked. */
export function refuseUnasked(isYes: boolean | undefined, shell: Shell): void {
  if (isYes || shell.isInteractive) return
  throw new UsageError(
    'there is no terminal to ask on: look with `ada-bulk plan` at what would happen, then say --yes.',
  )
}

/** Has the person type the number of items. Throws a UsageError for any other answer. */
export async function confirm(
  shell: Shell,
  calls: number,
  words: { verb: string; noun: string; warning?: string },
  instance: string,
): Promise<void> {
  shell.notice(
    `\nThis will ${words.verb} ${counted(calls, words.noun)} on ${instance}. It cannot be undone.${words.warning === undefined ? '' : ` ${words.warning}`}`,
  )
  await typeNumber(shell, calls, 'Nothing was sent.')
}

/** Has the person type a number. Throws a UsageError, which says what was not done, for any other answer. */
export async function typeNumber(shell: Shell, number: number, notDone: string): Promise<void> {
  const answer = await shell.ask(`Type ${inDigits(number)} to go on, anything else to leave: `)
  if (answer.replace(/[\s,.'_]/g, '') !== String(number)) {
    throw new UsageError(
      `not confirmed: ${answer === '' ? 'no number was typed' : 'the number differs'}. ${notDone}`,
    )
  }
}
