import { createHash } from 'node:crypto'
import { createReadStream, statSync } from 'node:fs'
import { UsageError } from '../system/errors.js'
import { openRegular } from '../system/files.js'
import type { InputFile } from './source.js'

/** A file that a run reads, with its fingerprint. */
export interface Fingerprinted extends InputFile {
  sha256: string
  bytes: number
}

/** Takes the SHA-256 and the size of files while they are read. */
export class Fingerprinting {
  readonly #files: readonly InputFile[]
  readonly #sums: { hash: ReturnType<typeof createHash>; bytes: number }[]

  constructor(files: readonly InputFile[]) {
    this.#files = files
    this.#sums = files.map(() => ({ hash: createHash('sha256'), bytes: 0 }))
  }

  readonly onBytes = (file: number, chunk: Uint8Array): void => {
    const sum = this.#sums[file]!
    sum.hash.update(chunk)
    sum.bytes += chunk.length
  }

  /** Once, when every file was read to its end. */
  done(): Fingerprinted[] {
    return this.#files.map(({ name, path }, index) => {
      const { hash, bytes } = this.#sums[index]!
      return { name, path, sha256: hash.digest('hex'), bytes }
    })
  }
}

/** Reads a file for nothing else. */
export async function fingerprintOf({ name, path }: InputFile): Promise<Fingerprinted> {
  const sums = new Fingerprinting([{ name, path }])
  const stream = createReadStream(path, { fd: openRegular(path), highWaterMark: 1 << 20 })
  for await (const chunk of stream) sums.onBytes(0, chunk)
  return sums.done()[0]!
}

/** A file that was changed after its stamp was taken has another one, once the clock has moved on by this much. */
const stampAfterMs = 100

/** Tells without reading it that a file has not changed since; null for a file that changed just now. */
export function stampOf(path: string): string | null {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  if (stat === undefined || Date.now() - Number(stat.ctimeMs) < stampAfterMs) return null
  const { dev, ino, size, mtimeNs, ctimeNs } = stat
  return [dev, ino, size, mtimeNs, ctimeNs].join()
}

/** Whether a file still is what its fingerprint says. */
export async function isUnchanged(file: Fingerprinted): Promise<boolean> {
  try {
    return (await fingerprintOf(file)).sha256 === file.sha256
  } catch (error) {
    throw new UsageError(
      `${file.name}: the input of this run cannot be read any more (${(error as NodeJS.ErrnoException).code}). Put it back at ${file.path}.`,
    )
  }
}
