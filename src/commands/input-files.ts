import { createWriteStream } from 'node:fs'
import { join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Flags } from '../settings/flags.js'
import type { InputFile } from '../sources/source.js'
import { UsageError } from '../system/errors.js'

/** The files that `--input` or `--hold` name, with their absolute paths. */
export function namedFiles(names: readonly string[] | undefined): InputFile[] {
  return (names ?? []).map((name) => ({ name, path: resolve(name) }))
}

export function requiredInput({ input }: Pick<Flags, 'input'>): readonly string[] {
  if (input !== undefined && input.length > 0) return input
  throw new UsageError('no input: name a file with --input, or read stdin with --input -.')
}

/** The files of the input. Stdin is put into a file in the directory first, so that it can be read again, also after a power cut. */
export async function inputFiles(names: readonly string[], directory: string): Promise<InputFile[]> {
  const files = namedFiles(names)
  const stdin = files.filter(({ name }) => name === '-')
  if (stdin.length > 1) throw new UsageError('--input - is given twice: stdin can be read once.')
  for (const file of stdin) {
    file.path = join(directory, 'stdin')
    await pipeline(process.stdin, createWriteStream(file.path, { mode: 0o600, flush: true }))
  }
  return files
}
