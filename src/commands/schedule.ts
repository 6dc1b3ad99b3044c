import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '../system/errors.js'
import { messageOf } from '../system/text.js'
import type { Command } from './command.js'
import { crontab } from './schedule/crontab.js'
import { kubernetes } from './schedule/kubernetes.js'
import type { Schedule, ScheduleFile } from './schedule/schedule.js'
import { systemd } from './schedule/systemd.js'
import { type ScheduleFlags, scheduledTask } from './schedule/task.js'

/** Every scheduler that a text is printed for. */
const schedules: readonly Schedule[] = [crontab, systemd, kubernetes]

export const command: Command = {
  examples: [
    ['schedule cleanup --handle acme --idle 14d --at 03:00', 'A line for crontab'],
    [
      "schedule end-conversations -i samples/conversations.csv --sandbox --as systemd --at '0 22 * * mon-fri'",
      'A service and its timer, to practise',
    ],
    ['schedule cleanup --handle acme --as kubernetes --image ada-bulk:1', 'A CronJob'],
  ],

  async run(flags: ScheduleFlags, terminal) {
    const schedule = schedules.find(({ name }) => name === (flags.as ?? 'crontab'))!
    const files = schedule.files(await scheduledTask(flags, schedule === kubernetes, terminal))
    if (flags.output !== undefined) {
      for (const path of writeFiles(files, flags.output)) terminal.print(path)
    } else if (files.length === 1) terminal.print(files[0]!.text.trimEnd())
    else
      terminal.print(
        files
          .map(({ name, text }) => `# file: ${name}\n${text}`)
          .join('\n')
          .trimEnd(),
      )
    return 0
  },
}

function writeFiles(files: readonly ScheduleFile[], directory: string): string[] {
  const paths = files.map(({ name }) => join(directory, name))
  const taken = paths.find(existsSync)
  if (taken !== undefined) {
    throw new UsageError(`${taken} is there already. Remove it, or name another directory with --output.`)
  }
  try {
    mkdirSync(directory, { recursive: true })
    for (const [index, { text }] of files.entries()) writeFileSync(paths[index]!, text)
  } catch (error) {
    throw new UsageError(`--output ${directory}: cannot be written. ${messageOf(error)}`)
  }
  return paths
}
