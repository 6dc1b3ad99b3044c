import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { syncDirectory } from './atomic-write.js'

/** Makes a directory and what is missing above it, so that a power cut leaves it there. Node's own `recursive` never comes back from places like /proc. */
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
