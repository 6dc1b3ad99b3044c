import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { chmod, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Replaces a file as a whole: written beside, flushed, renamed, and the directory flushed. Mode 0600. */
export function writeFileAtomically(path: string, text: string): void {
  const beside = `${path}.${process.pid}.tmp`
  try {
    const file = openNew(beside, constants.O_TRUNC)
    try {
      const bytes = Buffer.from(text)
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(beside, path)
  } catch (error) {
    try {
      unlinkSync(beside)
    } catch {}
    throw error
  }
  syncDirectory(dirname(path))
}

/** Opens a file of ours for reading and writing, and makes it where it is missing. A symbolic link is not followed. */
export function openNew(path: string, how: number): number {
  return openSync(path, constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0) | how, 0o600)
}

/** Replaces a file as a whole that programs of other users read: mode 0644, whatever the umask. Does not block. */
export async function writeForOthers(path: string, text: string): Promise<void> {
  const beside = `${path}.${process.pid}.tmp`
  try {
    await writeFile(beside, text, { mode: 0o644, flush: true })
    await chmod(beside, 0o644)
    await rename(beside, path)
  } catch (error) {
    await rm(beside, { force: true }).catch(() => {})
    throw error
  }
}

/** Makes a rename or a new file in a directory survive a power cut. */
export function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

/**
 * Makes a directory and the missing ones above it, so that they survive a power cut. Node's own `recursive` hangs in
 * places like /proc.
 */
export function makeDirectory(path: string, mode = 0o777): void {
  const parent = dirname(path)
  if (parent !== path && !existsSync(parent)) makeDirectory(parent, mode)
  try {
    mkdirSync(path, { mode })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return
  }
  syncDirectory(parent)
}

/** Files that are read as a whole are small, unless something else has their name. */
const longestTextBytes = 16 * 1024 * 1024

/**
 * Opens a file for reading. Refuses a pipe, which may make us wait for ever, a device, which may never end, and a
 * directory, with an error that has a code like the others of opening.
 */
export function openRegular(path: string): number {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  if (fstatSync(file).isFile()) return file
  closeSync(file)
  throw Object.assign(new Error(`EFTYPE: not a file, ${path}`), { code: 'EFTYPE' })
}

/** The bytes of a regular file. */
export function readRegular(path: string): Buffer {
  const file = openRegular(path)
  try {
    return readFileSync(file)
  } finally {
    closeSync(file)
  }
}

/** The text of a small regular file. */
export function readSmallText(path: string): string {
  const file = openRegular(path)
  try {
    if (fstatSync(file).size <= longestTextBytes) return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
  throw Object.assign(new Error(`EFBIG: too large for what it should be, ${path}`), { code: 'EFBIG' })
}

/** A file that people write by hand is far smaller. */
const longestWordsBytes = 1024 * 1024

/** The text of a small file that people write, in UTF-8 or in UTF-16 with its mark. A pipe like `<(…)` of a shell is allowed. */
export function readWords(path: string): string {
  const file = openSync(path, 'r')
  const bytes = Buffer.alloc(longestWordsBytes + 1)
  let length = 0
  try {
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      read = readSync(file, bytes, length, bytes.length - length, null)
  } finally {
    closeSync(file)
  }
  if (length > longestWordsBytes) throw new Error('more than 1 MB, which is not what it should be')
  return new TextDecoder(encodingOf(bytes)).decode(bytes.subarray(0, length))
}

function encodingOf(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  return bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8'
}
