import { openMemoryLedger } from '../pacing/memory.js'
import type { ExportSpan, RunSettings } from '../settings/run-settings.js'
import { systemClock } from '../system/clock.js'
import type { Stop } from '../system/stop.js'
import { openCalls } from './calls.js'
import type { Coordination } from './coordination.js'
import { download } from './export-download.js'
import type { Downloaded } from './export-progress.js'

/** A download as a command asks for it. */
export interface Fetch {
  span: ExportSpan
  asked: string
  output: string
  pageSize: number
  origin: string
  key: string
  isSandbox: boolean
  coordination: Pick<Coordination, 'openLedger'>
  settings: Pick<RunSettings, 'limits' | 'share' | 'hours' | 'timeoutMs' | 'attemptsMax' | 'maxOutageMs'>
  stop: Stop
  onPage?: (downloaded: Downloaded) => void
}

/** One page is asked for after another, as each names the next. */
const concurrency = 1

/** Downloads from Data Export under the rate limits of its own, which are apart from those for conversations. */
export async function fetchExport(options: Fetch): Promise<Downloaded> {
  const { origin, key, settings, stop } = options
  const ledger = options.isSandbox
    ? openMemoryLedger(systemClock)
    : await options.coordination.openLedger(`${origin}/export`)
  const calls = await openCalls({
    origin,
    key,
    settings: { ...settings, concurrency },
    ledger,
    clock: systemClock,
    random: Math.random,
  })
  try {
    return await download({
      ...options,
      ...calls,
      attemptsMax: settings.attemptsMax,
      stop,
      clock: systemClock,
      random: Math.random,
    })
  } finally {
    await calls.close()
    await ledger.close()
  }
}
