import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { RateWindow } from '../settings/limits.js'
import type { Clock } from '../system/clock.js'
import { UsageError } from '../system/errors.js'
import { readBootId } from '../system/host.js'
import { instanceFolder, type Ledger, type Slot, type Taken } from './ledger.js'
import { type LogRecord, type RecordKind, SharedLog } from './shared-log.js'

export interface FileLedgerOptions {
  /** The state directory; the ledger is `ledger/<instance>/` in it. */
  directory: string
  /** Origin of the API. */
  instance: string
  clock: Clock
  bootId?: string
  /** A segment of the log that has grown this far is followed by the next. */
  segmentBytes?: number
}

/**
 * A ledger for all processes of this host and user, and for those that come after them: a log that all of them append
 * to. No process ever waits for a lock, so a process that is killed or frozen anywhere blocks no other.
 *
 * To take a slot, a process appends a record that takes it and reads up to that record. It has the slot if the records
 * before it leave room; else it appends a release. The order in the log is the same for all, so two processes never
 * both get the last slot.
 *
 * Assumed: the directory is on a local filesystem, where an append is atomic (not NFS), and `monotonicMs` is the same
 * clock for all processes until the host starts again. Records of an earlier start are aged by wall time. A power cut
 * may lose the last seconds of records. Ended calls stay on record for the longest window that any process counted
 * with recently (at least 5 minutes): a caller with a longer one counts only what is still there.
 */
export async function openFileLedger(options: FileLedgerOptions): Promise<Ledger> {
  const { clock, bootId = readBootId(), segmentBytes = 256 * 1024 } = options
  const directory = folderOf(options)
  const onDisk = explaining(directory, options.directory)
  const log = onDisk(() => new SharedLog(directory, clock, bootId, segmentBytes))
  let isClosed = false

  function take(windows: readonly RateWindow[], holdMs: number): Taken {
    if (isClosed) throw new Error('The ledger is closed')
    log.catchUp()
    for (let tries = 0; tries < triesMax; tries++) {
      const full = log.calls.obstacle(windows, clock.monotonicMs())
      if (full) return { slot: null, ...full }
      const longestMs = Math.max(0, ...windows.map(({ perMs }) => perMs))
      const record = log.record('take', { lengthMs: holdMs, longestMs })
      const obstacle = log.append(record, () => log.calls.obstacle(windows, clock.monotonicMs()))
      // The hold runs from the record on. A process that was frozen since then tries again; so nothing that takes
      // time may come behind this.
      const isYoung = clock.monotonicMs() - record.monotonicMs <= holdMs / 10
      if (!obstacle && isYoung) {
        const onRecord = log.calls.counts(windows, clock.monotonicMs())
        return { slot: slotOf(record.token), onRecord, taken: log.calls.taken }
      }
      log.append(log.record('release', { token: record.token }))
      if (obstacle) return { slot: null, ...obstacle }
    }
    throw new UsageError(
      `This host is too slow to call in time: ${triesMax} slots in a row were late when they were taken. ` +
        'Give calls more time with --timeout.',
    )
  }

  function write(kind: RecordKind, fields: Partial<LogRecord>): void {
    // A call may end after the ledger was closed: its slot stays taken until its hold has passed.
    if (!isClosed) onDisk(() => log.append(log.record(kind, fields)))
  }

  function slotOf(token: string): Slot {
    return {
      giveBack: async () => write('end', { token }),
      release: async () => write('release', { token }),
    }
  }

  return {
    take: async (windows, holdMs) => onDisk(() => take(windows, holdMs)),
    blockFor: async (ms) => write('closed', { lengthMs: ms }),
    async close() {
      if (!isClosed) log.close()
      isClosed = true
    },
  }
}

/**
 * How long ago the calls on record were answered, the oldest first; those in flight, just now. Creates nothing where
 * there is no ledger yet.
 */
export function callsAgoMs(options: Pick<FileLedgerOptions, 'directory' | 'instance' | 'clock'>): number[] {
  const { clock } = options
  const directory = folderOf(options)
  if (!existsSync(directory)) return []
  const log = new SharedLog(directory, clock, readBootId(), Infinity)
  log.close()
  return log.calls.agoMs(clock.monotonicMs())
}

const folderOf = ({ directory, instance }: Pick<FileLedgerOptions, 'directory' | 'instance'>) =>
  join(directory, 'ledger', instanceFolder(instance))

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
