import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { RunDirectory } from '../checkpoint/directory.js'
import type { RunFile } from '../checkpoint/run-file.js'
import type { Fingerprinted } from '../sources/fingerprint.js'
import { openRegular } from '../system/files.js'
import { counted, inDigits, messageOf } from '../system/text.js'
import { type Check, leftOut, right, wrong } from './verify-check.js'

/** The names under which a run keeps an input that was no file of the person's. */
const keptNames = ['stdin', 'retry.csv', 'export.jsonl.gz']

/** A file of a run, where it lies now: a kept one goes with the run's directory when that is moved. */
export function currentFile(directory: RunDirectory, run: RunFile, file: Fingerprinted): Fingerprinted {
  const isKept = keptNames.includes(basename(file.path)) && basename(dirname(file.path)) === run.run
  return isKept ? { ...file, path: join(directory.path, basename(file.path)) } : file
}

/** Whether a run keeps the file in its own directory, where it has to be. */
export function isKept(directory: RunDirectory, { path }: Fingerprinted): boolean {
  return dirname(path) === directory.path
}

/** Compares files with their fingerprints. Those outside of the run's directory may be left out. */
export async function checkFiles(
  name: 'input' | 'hold',
  directory: RunDirectory,
  files: readonly Fingerprinted[],
  isOutsideLeftOut: boolean,
): Promise<Check> {
  const looked = files.filter((file) => !isOutsideLeftOut || isKept(directory, file))
  for (const file of looked) {
    const fault = await faultOf(file)
    if (fault === null) continue
    const help =
      fault !== gone || isKept(directory, file) ? '' : `; put it back, or leave it out with --without-input`
    return wrong(name, `${file.name} (${file.path}) ${fault}${help}.`)
  }
  if (looked.length < files.length)
    return leftOut(
      name,
      `${counted(files.length - looked.length, 'file')} left out, as --without-input says.`,
    )
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  return right(
    name,
    `${counted(files.length, 'file')}, ${inDigits(bytes)} bytes: the SHA-256 is what it was.`,
  )
}

const gone = 'is gone and cannot be compared'

async function faultOf(file: Fingerprinted): Promise<string | null> {
  const sum = createHash('sha256')
  let bytes = 0
  try {
    for await (const chunk of createReadStream(file.path, {
      fd: openRegular(file.path),
      highWaterMark: 1 << 20,
    })) {
      sum.update(chunk)
      bytes += chunk.length
    }
  } catch (error) {
    const isGone = (error as NodeJS.ErrnoException).code === 'ENOENT'
    return isGone ? gone : `cannot be read: ${messageOf(error)}`
  }
  const sha256 = sum.digest('hex')
  if (sha256 === file.sha256 && bytes === file.bytes) return null
  return `is another file than the run has read: ${inDigits(bytes)} bytes with the SHA-256 ${sha256}, and it had ${inDigits(file.bytes)} with ${file.sha256}`
}
