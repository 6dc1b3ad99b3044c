/** One line of the ledger's log. */
export interface LogRecord {
  kind: RecordKind
  /** Of the call, for `take`, `end` and `release`; otherwise only to tell lines apart. */
  token: string
  /** When it was written (of `end`: when the answer was seen), on three clocks: records of another start of the
   * host can't be compared by monotonic time. */
  monotonicMs: number
  wallMs: number
  bootId: string
  /** Of `take`: how long the call may last. Of `closed`: how long nobody may call. */
  lengthMs: number
  /** Of `take` and `window`: the longest window that the writer counts with. */
  longestMs: number
}

const kinds = [
  /** A place was taken, if the records before it leave room. */
  'take',
  /** The answer was seen; the place comes back one window later. */
  'end',
  /** The call never left; the place is free. */
  'release',
  /** The API asked for silence. */
  'closed',
  /** Somebody counts with a window this long (in a new generation, where the takes that said so are gone). */
  'window',
  /** All records behind this one are void; the next generation goes on. */
  'seal',
] as const
export type RecordKind = (typeof kinds)[number]

/** Without its line ends. The mark at its end tells a whole record from one that was torn by a full disk. */
export function formatRecord(record: LogRecord): string {
  const times = [record.monotonicMs.toFixed(3), record.wallMs.toFixed(0), record.bootId]
  return [record.kind, record.token, ...times, record.lengthMs, record.longestMs, endMark].join(' ')
}

/** Null when the line is not a whole record. */
export function parseRecord(line: string): LogRecord | null {
  const parts = line.split(' ')
  if (parts.length !== 8 || parts[7] !== endMark) return null
  const kind = kinds.find((name) => name === parts[0])
  const [monotonicMs, wallMs, lengthMs, longestMs] = [parts[2], parts[3], parts[5], parts[6]].map(Number)
  if (!kind || ![monotonicMs, wallMs, lengthMs, longestMs].every(Number.isFinite)) return null
  return {
    kind,
    token: parts[1]!,
    monotonicMs: monotonicMs!,
    wallMs: wallMs!,
    bootId: parts[4]!,
    lengthMs: lengthMs!,
    longestMs: longestMs!,
  }
}

const endMark = ';'
