import { createHash } from 'node:crypto'
import { createReadStream, existsSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ZipFile } from 'yazl'
import type { RunDirectory } from '../checkpoint/directory.js'
import { readmeText } from './pack-readme.js'
import type { Examination } from './verify.js'

/**
 * Writes a run's record as a ZIP archive: its files as they lie there, a README for the auditor, and the SHA-256 of
 * each. The same record gives the same bytes. Does not end the stream.
 */
export async function writePack(
  directory: RunDirectory,
  examination: Examination,
  reports: readonly string[],
  out: Writable,
): Promise<void> {
  const { run, events } = examination
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
  const readme = Buffer.from(readmeText(examination, kept))
  add('README.txt', readme.length, () => Readable.from([readme]))
  for (const name of names) {
    const path = join(directory.path, name)
    add(name, statSync(path).size, () => createReadStream(path))
  }
  // Its turn comes when all before it have been read to their end.
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
