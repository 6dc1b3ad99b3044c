import { openMemoryLedger } from '../pacing/memory.js'
import type { ExportSpan, RunSettings } from '../settings/run-settings.js'
import { systemClock } from '../system/clock.js'
import type { Stop } from '../system/stop.js'
import type { Coordination } from './coordination.js'
import { download } from './export-download.js'
import type { Downloaded } from './export-progress.js'
import { openSession } from './session.js'

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
  const { origin, key, settings } = options
  const ledger = options.isSandbox
    ? openMemoryLedger(systemClock)
    : await options.coordination.openLedger(`${origin}/export`)
  const surroundings = { clock: systemClock, random: Math.random }
  await using session = await openSession(origin, key, { ...settings, concurrency }, ledger, surroundings)
  return await download({
    ...options,
    ...surroundings,
    api: session.api,
    limiter: session.limiter,
    attemptsMax: settings.attemptsMax,
  })
}
