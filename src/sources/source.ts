/** One file of the input: the name that the person gave, and where its bytes are (they differ for stdin). */
export interface InputFile {
  name: string
  path: string
}

/** A row as a source found it, not yet judged: its ID may be empty or unusable. */
export interface SourceRow {
  /** The cell as it is in the file. */
  id: string
  /** Where the row begins: line in the file, from 1. */
  line: number
  /** Set when the row itself cannot be used: one sentence that says why. */
  problem?: string
  /** The fields of the row by name, for filters. Built when asked for. */
  record(): Readonly<Record<string, unknown>>
}

export interface SourceOptions {
  /** A column's name or its number from 1; sources without columns do not look at it. */
  idColumn?: string | null | undefined
  /** The names that the ID's column may have; default: those of a conversation's ID. */
  idColumns?: readonly string[] | undefined
  /** Accept the complete records of a truncated file, instead of refusing it. */
  acceptTruncated?: boolean | undefined
  /** The first bytes of the content, where they are known. */
  head?: Buffer | undefined
  /** Also gives rows of nothing but separators, and header rows that come again, as version 0.1 did. */
  keepsFillers?: boolean | undefined
  /** Called for each header row that comes again, and is left out. */
  onRepeatedHeader?: (() => void) | undefined
  /** Sees every byte of the file in order, as it lies on disk: for fingerprints. */
  onBytes?: ((chunk: Uint8Array) => void) | undefined
}

/**
 * The promise of a source: streams the rows of a file in a fixed order, in batches of any size. The same bytes
 * give the same rows. A row that cannot be used is given with its problem; a file that cannot be used throws
 * a UsageError that names the file.
 */
export interface Source {
  /** What `--format` calls it. */
  readonly format: string
  /** Whether a file that begins with these (decompressed, UTF-8) bytes is one for this source. */
  recognises(head: Uint8Array): boolean
  rows(file: InputFile, options: SourceOptions): AsyncIterable<readonly SourceRow[]>
}
