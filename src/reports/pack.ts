import { createHash } from 'node:crypto'
import { createReadStream, existsSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ZipFile } from 'yazl'
import type { RunDirectory } from '../checkpoint/directory.js'
import type { LifecycleEvent } from '../checkpoint/events.js'
import { jobShortName, type RunFile } from '../checkpoint/run-file.js'
import type { Fingerprinted } from '../sources/fingerprint.js'
import { inDigits } from '../system/text.js'
import type { VerifiedRun } from './verify.js'

/**
 * Writes a run's record as a ZIP archive: its files as they are, a README for the auditor, and the SHA-256 of each. The
 * same record gives the same bytes. Does not end the stream.
 */
export async function writePack(
  directory: RunDirectory,
  verified: VerifiedRun,
  reports: readonly string[],
  out: Writable,
): Promise<void> {
  const { run, events } = verified
  const kept = run.input
    .filter(({ path }) => dirname(path) === directory.path)
    .map(({ path }) => basename(path))
  const isFile = (path: string) => existsSync(path) && statSync(path).isFile()
  const names = ['run.json', 'checkpoint.jsonl', 'summary.json', ...reports, ...kept].filter((name) =>
    isFile(join(directory.path, name)),
  )
  const options = {
    mtime: inAnyZone(new Date(events.at(-1)?.at ?? run.startedAt)),
    forceDosTimestamp: true,
    mode: 0o100600,
  }
  const zip = new ZipFile()
  const failed = new Promise<never>((_, reject) => zip.on('error', reject))
  const sums: string[] = []
  /** Takes the sum of just the bytes that are packed. */
  const add = (name: string, size: number, open: () => Readable) => {
    zip.addReadStreamLazy(name, { ...options, size }, (give) => {
      const sum = createHash('sha256')
      const bytes = open()
      bytes.on('error', (error) => zip.emit('error', error))
      bytes.on('data', (chunk: Buffer) => sum.update(chunk))
      bytes.on('end', () => sums.push(`${sum.digest('hex')}  ${name}\n`))
      give(null, bytes)
    })
  }
  const readme = Buffer.from(readmeText(verified, kept))
  add('README.txt', readme.length, () => Readable.from([readme]))
  for (const name of names) {
    const path = join(directory.path, name)
    add(name, statSync(path).size, () => createReadStream(path))
  }
  // Opened when all before it have been read to their end.
  zip.addReadStreamLazy('SHA256SUMS', options, (give) =>
    give(null, Readable.from([Buffer.from(sums.join(''))])),
  )
  zip.end()
  await Promise.race([failed, pipeline(zip.outputStream, out, { end: false })])
}

/** ZIP knows local time only: the moment whose local time is this one's UTC. */
function inAnyZone(at: Date): Date {
  return new Date(at.getTime() + at.getTimezoneOffset() * 60_000)
}

/** What an auditor reads first: what the run was, what was checked, and how to check it again. */
function readmeText({ run, events, totals, verification }: VerifiedRun, packed: readonly string[]): string {
  const { read, ...byStatus } = totals
  const counts = Object.entries(byStatus).map(([name, times]) => `  ${name.padEnd(10)} ${inDigits(times)}`)
  const findings = verification.checks.map(
    ({ name, isRight, finding }) =>
      `  ${isRight === null ? '-  ' : isRight ? 'ok ' : 'NOT'} ${name}: ${finding}`,
  )
  return `The record of one run of ada-bulk
=================================

  run        ${run.run}
  job        ${jobShortName(run.job)}${flagsText(run.jobFlags)}
  instance   ${run.instance}${run.isSandbox || run.isPractice ? ' (a sandbox: no real conversation was touched)' : ''}
  by         ${run.by} on ${run.host}
  version    ada-bulk ${run.adaBulk}, Node ${run.node}
${run.retryOf === null ? '' : `  retry of   ${run.retryOf}\n`}
What happened (UTC)
${events.flatMap(eventText).join('\n')}

What became of the ${inDigits(read)} rows of the input
${counts.join('\n')}

The input, and the lists of IDs that were not to be touched
${[...run.input, ...run.hold].map((file) => fileText(file, packed)).join('\n')}

What ada-bulk found when this was packed
${findings.join('\n')}

The head, which is the SHA-256 of the last line of checkpoint.jsonl:
  ${verification.head}
Compare it with the one that was kept elsewhere when the run ended (it was printed then, and is
in the notification). Who can write all of these files can make them fit each other; that hash they
cannot make fit.

How to check it again, without ada-bulk
---------------------------------------
1. The files are the ones that were packed (on macOS: shasum -a 256 -c SHA256SUMS):

   sha256sum -c SHA256SUMS

2. Each line of checkpoint.jsonl ends with the SHA-256 of the line before it, line end included; the
   first with 64 zeros. This names the first line that does not fit, or prints the head. It takes about
   two milliseconds a line:

${chainLoop.replace(/^(?=.)/gm, '   ')}
3. The totals. Each item has one line that begins with its number; where the input was changed on the
   way, those after the change count. Of each status there are:

${countLoop.replace(/^(?=.)/gm, '   ')}
4. The input is the file with the SHA-256 above:

   sha256sum ${run.input.map(({ name }) => (name === '-' ? 'stdin' : name)).join(' ')}

With ada-bulk, \`ada-bulk verify DIRECTORY --head HASH\` checks all of this and more: that every row of
the input has exactly one outcome, and that the reports say what the checkpoint says.
`
}

/** For any POSIX shell. */
const chainLoop = `prev=${'0'.repeat(64)}
number=0
while IFS= read -r line; do
  number=$((number + 1))
  case $line in
    *",\\"prev\\":\\"$prev\\"}") ;;
    *) echo "line $number does not fit"; break ;;
  esac
  prev=$(printf '%s\\n' "$line" | sha256sum | cut -d ' ' -f 1)
done < checkpoint.jsonl
echo "$number lines, head $prev"
`

const countLoop = `start=$(grep -n '^{"event":"input-changed"' checkpoint.jsonl | tail -n 1 | cut -d : -f 1)
for status in succeeded failed unknown invalid duplicate filtered; do
  echo "$status $(tail -n "+\${start:-1}" checkpoint.jsonl | grep -c "^{\\"n\\":[0-9]*,\\"status\\":\\"$status\\"")"
done
`

function flagsText(flags: RunFile['jobFlags']): string {
  return Object.entries(flags)
    .map(([name, value]) => ` --${name} ${value}`)
    .join('')
}

function fileText({ name, path, sha256, bytes }: Fingerprinted, packed: readonly string[]): string {
  const kept = packed.find((each) => path.endsWith(`/${each}`))
  return `  ${name === '-' ? 'stdin' : name}: ${inDigits(bytes)} bytes, ${kept === undefined ? 'not in this pack' : `here as ${kept}`}\n    SHA-256 ${sha256}`
}

function eventText(event: LifecycleEvent): string[] {
  const at = `  ${event.at}  `
  switch (event.event) {
    case 'started':
    case 'resumed':
      return [
        `${at}${event.event} by ${event.by} on ${event.host}, ada-bulk ${event.version}; up to ${inDigits(event.confirmed)} calls agreed to`,
      ]
    case 'input-changed':
      return [`${at}went on with a changed input of ${inDigits(event.plan.read)} rows`]
    case 'stopped':
      return [`${at}stopped (${event.exitCode}): ${event.because}`]
    case 'finished':
      return [`${at}finished (${event.exitCode})`]
    case 'paused':
    case 'continued':
    case 'throttled':
      return [`${at}${event.event} by ${event.by} on ${event.host}`]
    default:
      return []
  }
}
