import type { ApiAnswer } from '../job.js'
import { apiMessage } from '../operations/answer.js'
import { openHttpApi } from '../operations/http.js'
import { version } from '../system/host.js'
import type { Check } from './doctor.js'

/** No conversation has it: asking for it does nothing and tells whether the key is taken. */
const nobodysId = 'ada-bulk-doctor'

const timeoutMs = 15_000
const clockToleranceMs = 60_000

/** Makes one call that changes nothing, and says what the answer tells about address, key and clock. */
export async function checkInstance(origin: string, key: string): Promise<Check[]> {
  const api = await openHttpApi({ origin, key, timeoutMs, connections: 1, userAgent: `ada-bulk/${version}` })
  try {
    const path = `/api/v2/conversations/${nobodysId}/`
    const startedMs = Date.now()
    const answer = await api.call({ method: 'GET', path, signal: new AbortController().signal })
    return checksOf(answer, origin, Date.now() - startedMs)
  } finally {
    await api.close()
  }
}

function checksOf(answer: ApiAnswer, origin: string, ms: number): Check[] {
  if (answer.kind !== 'answer') {
    return [{ name: 'address', isRight: false, finding: `${origin} does not answer: ${answer.message}` }]
  }
  const { status, dateMs } = answer
  const said = apiMessage(answer.body)
  const address: Check = { name: 'address', isRight: true, finding: `${origin} answers in ${ms} ms` }
  const clock: Check[] = dateMs === null ? [] : [clockCheck(dateMs)]
  if (status === 401 || status === 403) {
    return [
      address,
      {
        name: 'key',
        isRight: false,
        finding: `is refused (HTTP ${status}${said && `: ${said}`}); make a new one in Ada's dashboard`,
      },
      ...clock,
    ]
  }
  if (status === 429)
    return [
      address,
      {
        name: 'key',
        isRight: false,
        finding: 'cannot be checked now: over a rate limit (HTTP 429); try again later',
      },
      ...clock,
    ]
  const isApi =
    typeof answer.body === 'object' && answer.body !== null && status < 500 && (status < 300 || status >= 400)
  if (!isApi) {
    return [
      {
        name: 'address',
        isRight: false,
        finding: `${origin} does not answer like Ada's API (HTTP ${status}${said && `: ${said}`}); check the address`,
      },
      ...clock,
    ]
  }
  return [address, { name: 'key', isRight: true, finding: 'is taken' }, ...clock]
}

function clockCheck(serverMs: number): Check {
  const aheadMs = Date.now() - serverMs
  const seconds = Math.round(Math.abs(aheadMs) / 1000)
  if (Math.abs(aheadMs) <= clockToleranceMs)
    return { name: 'clock', isRight: true, finding: `agrees with the API's within ${Math.max(1, seconds)} s` }
  return {
    name: 'clock',
    isRight: false,
    finding: `is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} the API's; times in reports and rules like "idle for 14 days" will be off`,
  }
}
