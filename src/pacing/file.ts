import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { RateWindow } from '../settings/limits.js'
import type { Clock } from '../system/clock.js'
import { UsageError } from '../system/errors.js'
import { readBootId } from '../system/host.js'
import type { Ledger, Place, Taken } from './ledger.js'
import type { LogRecord, RecordKind } from './log-record.js'
import { SharedLog } from './shared-log.js'

export interface FileLedgerOptions {
  /** The state directory; the ledger makes `ledger/<instance>/` in it. */
  directory: string
  /** Origin of the API. */
  instance: string
  clock: Clock
  bootId?: string
  /** A log that has grown this far and is mostly dead is written anew. */
  compactBytes?: number
}

/**
 * A ledger for all processes of this host and user, and for those that come after them: a log that everybody
 * appends to. Nobody ever waits for a lock, so a process that is killed or frozen anywhere blocks nobody.
 *
 * Who wants a place appends a record that takes it, reads on up to that record, and has the place if the records
 * before it leave room; else it appends a release. The order in the log is the same for all, so two processes
 * never both get the last place.
 *
 * When the log is long and mostly dead, somebody appends a seal. Records behind the seal are void: their writers
 * find the seal first and write them again in the next generation, which starts with what counted at the seal.
 *
 * Assumed: the directory is on a local filesystem, where an append is atomic (not NFS), and `monotonicMs` is the
 * same clock for all processes until the host starts again. Records of an earlier start are aged by wall time. A
 * power cut may lose the last seconds of records. Ended calls stay on record for the longest window that anybody
 * counted with of late (at least 5 minutes): who brings a longer one counts only what is still there.
 */
export async function openFileLedger(options: FileLedgerOptions): Promise<Ledger> {
  const { clock, bootId = readBootId(), compactBytes = 256 * 1024 } = options
  const directory = join(options.directory, 'ledger', instanceFolder(options.instance))
  const onDisk = explaining(directory, options.directory)
  const log = onDisk(() => new SharedLog({ directory, clock, bootId, compactBytes }))
  let isClosed = false

  function take(windows: readonly RateWindow[], holdMs: number): Taken {
    if (isClosed) throw new Error('A place was asked of a ledger that is closed')
    log.catchUp()
    for (let tries = 0; tries < triesMax; tries++) {
      const full = log.calls.obstacle(windows, clock.monotonicMs())
      if (full) return { place: null, ...full }
      const longestMs = Math.max(0, ...windows.map(({ perMs }) => perMs))
      const record = log.record('take', { lengthMs: holdMs, longestMs })
      const obstacle = log.append(record, () => log.calls.obstacle(windows, clock.monotonicMs()))
      // The hold runs from the record on. A process that was frozen since then begins anew; so nothing that takes
      // time may come behind this.
      const isYoung = clock.monotonicMs() - record.monotonicMs <= holdMs / 10
      if (!obstacle && isYoung) {
        const onRecord = log.calls.counts(windows, clock.monotonicMs())
        return { place: placeOf(record.token), onRecord, taken: log.calls.taken }
      }
      log.append(log.record('release', { token: record.token }))
      if (obstacle) return { place: null, ...obstacle }
    }
    throw new UsageError(
      `This host is too slow to call in time: ${triesMax} places in a row were late when they were taken. ` +
        'Give calls more time with --timeout.',
    )
  }

  function write(kind: RecordKind, fields: Partial<LogRecord>): void {
    // A call may end after the ledger was closed: its place stays taken until its hold has passed.
    if (!isClosed) onDisk(() => log.append(log.record(kind, fields)))
  }

  function placeOf(token: string): Place {
    return {
      giveBack: async () => write('end', { token }),
      release: async () => write('release', { token }),
    }
  }

  return {
    take: async (windows, holdMs) => onDisk(() => take(windows, holdMs)),
    closeFor: async (ms) => write('closed', { lengthMs: ms }),
    async close() {
      if (!isClosed) log.close()
      isClosed = true
    },
  }
}

/**
 * How long ago the calls on record were answered, the oldest first; those in flight, just now. Nothing is written
 * where there is no ledger yet.
 */
export function callsAgoMs({ directory, instance, clock }: FileLedgerOptions): number[] {
  const own = join(directory, 'ledger', instanceFolder(instance))
  if (!existsSync(own)) return []
  const log = new SharedLog({ directory: own, clock, bootId: readBootId(), compactBytes: Infinity })
  try {
    log.catchUp()
    const nowMs = clock.monotonicMs()
    const { inFlight, ended } = log.calls.snapshot(nowMs)
    return [...ended.map((endedAtMs) => Math.max(0, nowMs - endedAtMs)), ...inFlight.map(() => 0)]
  } finally {
    log.close()
  }
}

/** `https://acme.ada.support` → `acme.ada.support-1b4f0e98`: to be recognised by people, and unique. */
export function instanceFolder(instance: string): string {
  const readable = instance.replace(/^\w+:\/\//, '').replaceAll(/[^a-zA-Z0-9.-]+/g, '-')
  return `${readable.slice(0, 60)}-${createHash('sha256').update(instance).digest('hex').slice(0, 8)}`
}

/** Says what to do when the disk refuses something. */
function explaining(directory: string, stateDirectory: string) {
  return <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error
      throw new UsageError(
        `The ledger of calls in ${directory} can't be used (${error.message}). Make ${stateDirectory} writable and ` +
          'see that there is space, or set ADA_BULK_STATE to another directory on a local disk.',
        { cause: error },
      )
    }
  }
}

/** The host would have to freeze the process this often in a row. */
const triesMax = 100
