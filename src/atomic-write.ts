import { closeSync, fsyncSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs'
import { chmod, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Replaces a file as a whole: written beside, flushed, renamed, and the directory flushed. Mode 0600. */
export function writeFileAtomically(path: string, text: string): void {
  const beside = `${path}.${process.pid}.tmp`
  try {
    const file = openSync(beside, 'w', 0o600)
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

/**
 * Replaces a file as a whole that programs of other users read: mode 0644, whatever the umask. Nothing waits for the
 * disk meanwhile.
 */
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
