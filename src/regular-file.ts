import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'

/** Files that are read as a whole are small, unless something else has got their name. */
const longestTextBytes = 16 * 1024 * 1024

/**
 * Opens a file for reading. A pipe, which may let us wait for ever, a device, which may never end, and a directory are
 * refused: like the other errors of opening, theirs has a code.
 */
export function openRegular(path: string): number {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  if (fstatSync(file).isFile()) return file
  closeSync(file)
  throw Object.assign(new Error(`EFTYPE: not a file, ${path}`), { code: 'EFTYPE' })
}

/** The bytes of a file that has to be one. */
export function readRegular(path: string): Buffer {
  const file = openRegular(path)
  try {
    return readFileSync(file)
  } finally {
    closeSync(file)
  }
}

/** The text of a file that has to be one, and small. */
export function readSmallText(path: string): string {
  const file = openRegular(path)
  try {
    if (fstatSync(file).size <= longestTextBytes) return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
  throw Object.assign(new Error(`EFBIG: too large for what it should be, ${path}`), { code: 'EFBIG' })
}
