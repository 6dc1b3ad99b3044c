import type { RateWindow } from '../../src/settings/limits.js'
import { mostShare } from '../../src/settings/share.js'
import type { Evidence } from './evidence.js'
import { type Expected, expectedOf, isPlain } from './rows.js'

/** A call for it changes nothing, and tells an outage from a bad item. */
const harmless = 'ada-bulk-doctor'

/** What must hold of every run, by name; each says how it does not. */
export const invariants: Record<string, (evidence: Evidence) => string[]> = {
  'no ID is lost': ({ rows, world, report, isEnded }) => {
    const expected = expectedOf(rows, new Set(world.held))
    if (report.length !== rows.length) return [`${rows.length} rows, and ${report.length} in the report`]
    return rows.flatMap((id, index) => {
      const row = report[index]!
      if (id.length <= 200 && row.id !== id) return [`row ${index} is ${id}, and the report has ${row.id}`]
      if (kindOf(row.status) !== expected[index])
        return [`${id} is ${row.status}, and must be ${expected[index]}`]
      const isDone = row.status === 'succeeded'
      return isDone && !isEnded(id) ? [`${id} is ${row.status} (${row.reason}), and is not ended`] : []
    })
  },

  'only what is asked for is called': ({ calls, everListed, world }) =>
    calls.flatMap(({ id }) =>
      id !== harmless && (id === null || !everListed.has(id) || world.held.includes(id))
        ? [`${id} was called`]
        : [],
    ),

  'no ID is called more often than attempts and crashes explain': (evidence) => {
    const { executions, world, calls } = evidence
    const perId = countById(calls.filter(({ id, status }) => id !== harmless && status !== 429))
    // After a lost answer an attempt looks before it acts.
    const most = 2 * executions.length * world.settings.attemptsMax
    const beyond = [...perId].filter(([, times]) => times > most)
    const sum = beyond.reduce((all, [, times]) => all + times - most, 0)
    // While the API is down for everybody, calls that ask whether it is back count against no item.
    const failures = calls.filter(({ status }) => status === 0 || status >= 500).length
    const probesMax = failures === 0 ? 0 : executions.length * 40
    return sum > probesMax
      ? beyond.map(([id, times]) => `${id} was called ${times} times, at most ${most}`)
      : []
  },

  'where nothing fails, only calls in flight at a crash are made twice': (evidence) => {
    const { world, calls, executions } = evidence
    const { errorRate, dropRate, outage, latencyMs } = world.api
    const isSlow = (latencyMs?.max ?? 0) >= world.settings.timeoutMs / 2
    if (errorRate || dropRate || outage || isSlow) return []
    const twice = [
      ...countById(calls.filter(({ id, status }) => status === 200 || isPlain(id ?? ''))),
    ].filter(([id, times]) => times > 1 && isPlain(id))
    const excused = calls.filter(({ status }) => status === 429).length
    const most = executions.reduce((sum, { crash, exitCode, stoodStill }) => {
      // With those whose answer was about to be written. A power cut, or a disk that fails, also takes what waits for its sync.
      const inDoubt = crash === 'kill' ? 2 : crash === 'power cut' || exitCode === 4 ? 5 : stoodStill ? 1 : 0
      return sum + inDoubt * world.settings.concurrency
    }, 0)
    return twice.length > most + excused
      ? [`${twice.length} IDs were called again, at most ${most + excused}`]
      : []
  },

  'never two calls for one ID at once': ({ mostInFlightForOneId }) =>
    mostInFlightForOneId > 1 ? [`${mostInFlightForOneId} calls for one ID were in flight at once`] : [],

  'no window is over its limit as the server sees it': ({ calls, beside, world }) =>
    overLimits([...calls, ...beside], world.settings.limits, mostShare(world.settings.share)),

  'who is paused from outside calls nothing, and who is throttled keeps to that': ({
    executions,
    calls,
    world,
  }) =>
    executions.flatMap(({ asked }) =>
      asked.flatMap(({ share, fromMs, toMs }) => {
        // It looks so often, and what has left is on its way.
        const seenMs = fromMs + 250 + (world.api.latencyMs?.max ?? 0)
        const meanwhile = calls.filter(({ atMs }) => atMs > seenMs && atMs < toMs)
        if (share > 0) return overLimits(meanwhile, world.settings.limits, share)
        return meanwhile.map(({ id, atMs }) => `${id} was called ${atMs - fromMs} ms after the pause`)
      }),
    ),

  'who is alone in the windows meets no 429': ({ calls, world }) =>
    world.othersEveryMs === 0 && calls.some(({ status }) => status === 429)
      ? ['a call was answered with 429']
      : [],

  '`verify` passes': ({ verification }) =>
    verification.checks
      .filter(({ isRight }) => isRight === false)
      .map(({ name, finding }) => `${name}: ${finding}`),

  'totals add up': ({ summary, report, rows }) => {
    const { read, ...parts } = summary.totals
    const faults: string[] = []
    const sum = Object.values(parts).reduce((all, count) => all + count, 0)
    if (read !== rows.length || sum !== read)
      faults.push(`read ${read}, in parts ${sum}, rows ${rows.length}`)
    for (const [status, count] of Object.entries(parts)) {
      const inReport = report.filter((row) => row.status === status).length
      if (inReport !== count) faults.push(`${status} is ${count}, and ${inReport} in the report`)
    }
    return faults
  },

  'every exit code is right': ({ executions }) =>
    executions.flatMap(({ exitCode, stoppedBecause, left, hasTrouble, expected, crash }, index) => {
      if (crash !== null) return []
      const said = `execution ${index + 1} ended with ${exitCode} (${stoppedBecause ?? 'finished'})`
      if (stoppedBecause !== null || exitCode === 2) return expected.includes(exitCode!) ? [] : [said]
      return left === 0 && exitCode === (hasTrouble ? 3 : 0) ? [] : [`${said}, left ${left}`]
    }),

  'the key is in no file': ({ filesWithKey }) => filesWithKey.map((path) => `it stands in ${path}`),
}

/** What does not hold, each with the name of what it offends. */
export function offencesIn(evidence: Evidence): string[] {
  return Object.entries(invariants).flatMap(([name, offences]) =>
    offences(evidence)
      .slice(0, 3)
      .map((offence) => `${name}: ${offence}`),
  )
}

function overLimits(
  calls: readonly { atMs: number }[],
  limits: readonly RateWindow[] | 'none',
  share: number,
): string[] {
  if (limits === 'none') return []
  const arrivals = calls.map(({ atMs }) => atMs).sort((a, b) => a - b)
  return limits.flatMap(({ max, perMs }) => {
    const ours = { max: Math.max(1, Math.floor(Number((max * share).toFixed(6)))), perMs }
    return spansOverLimit(arrivals, ours).map((ms) => `${ours.max + 1} calls within ${ms} of ${perMs} ms`)
  })
}

/** The spans in which more arrived than the window allows. */
export function spansOverLimit(arrivals: readonly number[], { max, perMs }: RateWindow): number[] {
  return arrivals.flatMap((atMs, index) => {
    const spanMs = (arrivals[index + max] ?? Number.POSITIVE_INFINITY) - atMs
    return spanMs < perMs ? [spanMs] : []
  })
}

function kindOf(status: string): Expected | 'left' {
  if (status === 'succeeded' || status === 'failed' || status === 'unknown') return 'called'
  return status === 'filtered' || status === 'duplicate' || status === 'invalid' ? status : 'left'
}

function countById(calls: readonly { id: string | null }[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { id } of calls) if (id !== null) counts.set(id, (counts.get(id) ?? 0) + 1)
  return counts
}
