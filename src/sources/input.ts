import { UsageError } from '../system/errors.js'
import { readHead } from './bytes.js'
import { csv } from './csv.js'
import type { IdRules, Input } from './items.js'
import { json } from './json.js'
import type { InputFile, Source } from './source.js'

/** Every kind of file that can be read; by content, the first that recognises a file reads it. */
const sources: readonly Source[] = [json, csv]

export const inputFormats: readonly string[] = ['auto', ...sources.map((source) => source.format)]

export interface InputSettings {
  format: string
  /** Null: found by its name. */
  idColumn: string | null
  acceptTruncated: boolean
}

/** Finds the source for each file. Throws a UsageError for a file that cannot be read. */
export async function openInput(
  files: readonly InputFile[],
  { format, idColumn, acceptTruncated }: InputSettings,
  ids: IdRules = {},
): Promise<Input> {
  const chosen = []
  for (const { name, path } of files)
    chosen.push({ name, path, ...(await chooseSource({ name, path }, format)) })
  return { files: chosen, idColumn, acceptTruncated, ids }
}

async function chooseSource(file: InputFile, format: string): Promise<{ source: Source; head: Buffer }> {
  const head = await readHead(file.path, file.name)
  const source = sources.find((candidate) =>
    format === 'auto' ? candidate.recognises(head) : candidate.format === format,
  )
  if (source === undefined) {
    throw new UsageError(
      `${file.name}: neither of ${inputFormats.slice(1).join(', ')}. Say with --format what it is.`,
    )
  }
  return { source, head }
}
