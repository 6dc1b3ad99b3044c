/**
 * What cron hands to the shell of a crontab's line: what is behind the five fields, up to the first % that no
 * backslash stands before; the backslash before a % goes, and every other backslash takes the next letter along.
 */
export function commandOfCron(line: string): string {
  const [, written] = /^(?:\S+\s+){5}(.*)$/.exec(line) ?? []
  let command = ''
  let isEscaped = false
  for (const letter of written!) {
    if (letter === '%' && !isEscaped) break
    command = letter === '%' ? `${command.slice(0, -1)}%` : command + letter
    isEscaped = letter === '\\' && !isEscaped
  }
  return command
}
