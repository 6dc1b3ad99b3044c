import { UsageError } from '../../system/errors.js'
import { shellWord } from '../../system/text.js'
import { bringing, comments, keyFile, meaning, type Schedule, type Task } from './schedule.js'

/** Debian's cron reads no more of a command. */
const longestCommand = 998

/** A line for `crontab -e`. */
export const crontab: Schedule = {
  name: 'crontab',
  files(task) {
    const command = commandOf(task)
    if (command.length > longestCommand) {
      throw new UsageError(
        `the command has ${command.length} characters, and cron reads ${longestCommand}: shorten its paths, or use --as systemd.`,
      )
    }
    const lines = [
      `${task.name}: a line for \`crontab -e\` of ${task.user}. cron mails what it prints: nothing when all is well.`,
      ...meaning,
      ...bringing(task.secrets, `${task.user} only`),
    ]
    return [{ name: `${task.name}.crontab`, text: `${comments(lines)}${task.at.text} ${command}\n` }]
  },
}

function commandOf({ name, program, words, stateDirectory, secrets }: Task): string {
  const isLoudnessSaid = words.includes('--quiet') || words.includes('--no-quiet')
  const added = [
    ...(isLoudnessSaid ? [] : ['--quiet']),
    ...(secrets.length === 0 ? [] : ['--env-file', keyFile]),
  ]
  const command = [...program, ...words, ...added].map(shellWord).join(' ')
  // cron does not look at exit codes.
  const orSay = `|| { code=$?; [ $code -eq 75 ] || echo ${name} ended with exit code $code; exit $code; }`
  return escaped(`ADA_BULK_STATE=${shellWord(stateDirectory)} ${command} ${orSay}`)
}

/**
 * cron takes a % for the end of the command, and `\%` for a %. After a backslash in the word the quotes are
 * closed and opened again, or cron would read that backslash too. (A word with a backslash is in quotes.)
 */
function escaped(command: string): string {
  return command.replaceAll('\\%', "\\''%").replaceAll('%', '\\%')
}
