import { findRun, readRunFile } from '../checkpoint/directory.js'
import { type Verification, verifyRun } from '../reports/verify.js'
import { recordedIdRules } from '../runs/id-rules.js'
import { runState } from '../runs/state.js'
import { runsDirectory } from '../settings/environment.js'
import type { FlagsOf } from '../settings/flags.js'
import { inputFormats } from '../sources/input.js'
import { pseudonymsOfRun } from '../sources/pseudonyms.js'
import { UsageError } from '../system/errors.js'
import type { Command } from './command.js'
import { namedFiles } from './input.js'
import { saveMemory } from './monitor.js'
import { reports } from './report.js'

type VerifyFlags = FlagsOf<'verify'> & { run: string }

export const command: Command = {
  examples: [
    ['verify latest', 'Whether the record is whole and unaltered'],
    ['verify latest --input samples/conversations.csv', 'Whether every ID of a list has its outcome'],
  ],

  async run(flags: VerifyFlags, terminal) {
    saveMemory()
    const directory = findRun(runsDirectory(flags, terminal.environment), flags.run)
    const run = readRunFile(directory)
    const { settings } = run
    const idRules = await recordedIdRules(run, pseudonymsOfRun(run, terminal.environment))
    const ids = {
      files: namedFiles(flags.input),
      settings: {
        ...settings,
        format: flags.format ?? inputFormats[0]!,
        idColumn: flags['id-column'] ?? settings.idColumn,
      },
    }
    const { verification } = await verifyRun(directory, {
      reports,
      idRules,
      isRunning: runState(directory).kind === 'running',
      head: parsedHead(flags.head),
      isInputLeftOut: flags['without-input'] ?? false,
      ids: flags.input === undefined ? undefined : ids,
    })
    terminal.print(flags.json ? JSON.stringify(verification, null, 2) : verificationText(verification))
    return verification.isRight ? 0 : 3
  },
}

/** As the end of a run prints it; upper case is what some tools make of it. */
function parsedHead(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const head = text.trim().toLowerCase()
  if (/^[0-9a-f]{64}$/.test(head)) return head
  throw new UsageError(`--head ${text}: not a head. It is the 64 digits that a run prints at its end.`)
}

const marks = { true: 'ok ', false: 'NOT', null: '-  ' }

function verificationText({ run, head, checks }: Verification): string {
  return [
    ...checks.map(({ name, isRight, finding }) => `${marks[`${isRight}`]} ${name.padEnd(8)} ${finding}`),
    `Head of ${run}: ${head}`,
  ].join('\n')
}
