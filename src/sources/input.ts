import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { Filter } from '../job.js'
import type { Fingerprinted } from '../settings/run-settings.js'
import { UsageError } from '../system/errors.js'
import { openRegular } from '../system/files.js'
import { readHead } from './bytes.js'
import { csv } from './csv.js'
import { dataExport } from './data-export.js'
import type { IdRules, Input } from './items.js'
import type { InputFile, Source } from './source.js'

/** Every kind of file that can be read; by content, the first that recognises a file reads it. */
const sources: readonly Source[] = [dataExport, csv]

export const inputFormats: readonly string[] = ['auto', ...sources.map((source) => source.format)]

export interface InputSettings {
  format: string
  idColumn: string | null
  acceptTruncated: boolean
  ids?: IdRules
}

/** Finds the source for each file. Throws a UsageError for a file that cannot be read. */
export async function openInput(
  files: readonly InputFile[],
  settings: InputSettings,
  filters: readonly Filter[],
): Promise<Input> {
  const chosen = []
  for (const file of files) chosen.push({ ...file, source: await chooseSource(file, settings.format) })
  return {
    files: chosen,
    filters,
    acceptTruncated: settings.acceptTruncated,
    ...(settings.ids === undefined ? {} : { ids: settings.ids }),
    ...(settings.idColumn === null ? {} : { idColumn: settings.idColumn }),
  }
}

async function chooseSource(file: InputFile, format: string): Promise<Source> {
  const head = await readHead(file.path, file.name)
  const source = sources.find((candidate) =>
    format === 'auto' ? candidate.recognises(head) : candidate.format === format,
  )
  if (source === undefined) {
    throw new UsageError(
      `${file.name}: neither of ${inputFormats.slice(1).join(', ')}. Say with --format what it is.`,
    )
  }
  return source
}

/** Takes the SHA-256 and the size of files while they are read. */
export class Fingerprinting {
  readonly #files: readonly InputFile[]
  readonly #sums: { hash: ReturnType<typeof createHash>; bytes: number }[]

  constructor(files: readonly InputFile[]) {
    this.#files = files
    this.#sums = files.map(() => ({ hash: createHash('sha256'), bytes: 0 }))
  }

  readonly tap = (file: number, chunk: Uint8Array): void => {
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

/** Whether a file still is what its fingerprint says. */
export async function isUnchanged(file: Fingerprinted): Promise<boolean> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(file.path, {
      fd: openRegular(file.path),
      highWaterMark: 1 << 20,
    }))
      hash.update(chunk)
  } catch (error) {
    throw new UsageError(
      `${file.name}: the input of this run cannot be read any more (${(error as NodeJS.ErrnoException).code}). Put it back at ${file.path}.`,
    )
  }
  return hash.digest('hex') === file.sha256
}
