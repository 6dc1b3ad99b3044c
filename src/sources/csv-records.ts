import { type CsvError, Parser } from 'csv-parse'
import { UsageError } from '../system/errors.js'
import { PlainLines } from './csv-plain-lines.js'

export interface CsvRecord {
  cells: string[]
  /** The line of the file that it begins in. */
  line: number
  /** Text follows the closing quote of a cell: what the quotes were meant to enclose is a guess. */
  hasStrayText: boolean
}

const notText = 'holds bytes that no text has: is it a CSV? Save it as CSV in UTF-8.'

const carriageReturn = 13
/** An open quote would otherwise take in the rest of the file. */
const recordBytesMax = 1024 * 1024
/** In UTF-8, of what a string counts as one or two. */
const longestCharacterBytes = 4

/**
 * The records of a CSV, a batch per piece. Blank lines count as lines but are no records. Before a fault that ends
 * the reading come the records above it. From the first line on that is not plain, csv-parse reads them.
 */
export async function* csvRecords(
  bytes: AsyncIterable<Buffer> | Iterable<Buffer>,
  delimiter: string,
  name: string,
): AsyncGenerator<CsvRecord[], void, undefined> {
  const plain = new PlainLines(delimiter, recordBytesMax / longestCharacterBytes)
  let parser: BatchParser | null = null
  for await (const piece of bytes) {
    if (piece.includes(0)) throw new UsageError(`${name} ${notText}`)
    if (parser === null) {
      const { records, rest } = plain.next(piece)
      if (rest !== null) parser = new BatchParser(delimiter, name, plain.line)
      yield parser === null ? records : [...records, ...(await parser.next(rest!))]
    } else {
      yield await parser.next(piece)
    }
    if (parser?.fault) throw parser.fault
  }
  if (parser === null) {
    parser = new BatchParser(delimiter, name, plain.line)
    yield await parser.next(plain.end())
  }
  yield await parser.next(undefined)
  if (parser.fault) throw parser.fault
}

/**
 * csv-parse, with the records taken out in batches, as its streams hand them out one by one, and with the lines
 * that they begin in, as its `info` costs as much as the parsing.
 */
class BatchParser extends Parser {
  fault: Error | undefined
  private batch: CsvRecord[] = []
  private linesSeen = 0
  private emptyLinesSeen = 0
  private hasStrayText = false
  private knowsCarriageReturns = false
  /** Where csv-parse stands between two bytes. Its types leave it out, and our tests notice if it changes. */
  declare private state: {
    record: string[]
    quoting: boolean
    wasQuoting: boolean
    recordHasError: boolean
    recordDelimiterMaxLength: number
  }

  constructor(
    delimiter: string,
    private readonly fileName: string,
    private nextLine: number,
  ) {
    super({
      delimiter,
      record_delimiter: '\n',
      skip_empty_lines: true,
      max_record_size: recordBytesMax,
      // Has it ask on_skip what to do about a fault, instead of giving up.
      skip_records_with_error: true,
      on_skip: (error) => this.judge(error!),
    })
    // `next` learns of it from its callback.
    this.on('error', () => {})
  }

  /** The records that the piece completes; without a piece, what is left. */
  async next(piece: Buffer | undefined): Promise<CsvRecord[]> {
    if (!this.knowsCarriageReturns && piece?.includes(carriageReturn)) this.learnCarriageReturns()
    await new Promise<void>((resolve) => {
      const finished = (error?: Error | null) => {
        this.fault ??= error ?? undefined
        resolve()
      }
      if (piece) this.write(piece, finished)
      else this.end(finished)
    })
    // Only the text in cells counts towards max_record_size.
    if (this.state.record.length > recordBytesMax) this.fault ??= this.tooLong()
    const { batch } = this
    this.batch = []
    return batch
  }

  /** Here csv-parse hands over each record, and null at the end. */
  override push(cells: string[] | null): boolean {
    if (cells === null || this.fault) return true
    const { lines, empty_lines } = this.info
    const line = this.line
    const linesTaken = lines - this.linesSeen - (empty_lines - this.emptyLinesSeen)
    // Its count tells only whether there are line ends inside the cells: it takes CR LF there for two.
    this.nextLine = line + 1 + (linesTaken === 1 ? 0 : lineEndsIn(cells))
    if (this.hasStrayText && this.nextLine > line + 1) this.fault = this.strayText(line)
    else this.batch.push({ cells, line, hasStrayText: this.hasStrayText })
    this.linesSeen = lines
    this.emptyLinesSeen = empty_lines
    this.hasStrayText = false
    // Each record is the first one, whose length is right: finding it wrong takes csv-parse ten times the parsing.
    ;(this.info as { records: number }).records = 0
    return true
  }

  /** Most files do without, and comparing every byte with three line ends is a tenth of the time. */
  private learnCarriageReturns(): void {
    this.knowsCarriageReturns = true
    this.options.record_delimiter = ['\r\n', '\n', '\r'].map((end) => Buffer.from(end))
    this.state.recordDelimiterMaxLength = 2
  }

  private judge(error: CsvError): undefined {
    if (error.code === 'CSV_QUOTE_NOT_CLOSED' || error.code === 'CSV_MAX_RECORD_SIZE') throw this.tooLong()
    // A quote inside a cell without quotes is text. One that closes too early closes all the same, so that it
    // cannot take in the rows below.
    this.state.recordHasError = false
    if (error.code !== 'CSV_INVALID_CLOSING_QUOTE') return
    this.hasStrayText = true
    this.state.quoting = false
    this.state.wasQuoting = true
  }

  /** Where the record begins that comes next or is being read. */
  private get line(): number {
    return this.nextLine + this.info.empty_lines - this.emptyLinesSeen
  }

  private tooLong(): UsageError {
    if (!this.state.quoting) {
      return new UsageError(
        `${this.fileName}, line ${this.line}: the row is longer than 1 MiB. Is this a CSV?`,
      )
    }
    const line = this.line + lineEndsIn(this.state.record)
    return new UsageError(
      `${this.fileName}, line ${line}: a quote (") opens a cell here and nothing closes it. Close the quote, or double it if it is part of the text.`,
    )
  }

  private strayText(line: number): UsageError {
    return new UsageError(
      `${this.fileName}, line ${line}: a quoted cell that begins in this row goes on over the next lines and ends in the middle of text, so a quote (") is missing or not doubled. Correct it, or rows would be taken for text.`,
    )
  }
}

function lineEndsIn(cells: readonly string[]): number {
  return cells.reduce((count, cell) => count + (cell.match(/\r\n|\n|\r/g)?.length ?? 0), 0)
}
