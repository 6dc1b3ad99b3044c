import { getResponse } from 'msw'
import type { Api, ApiAnswer, ApiRequest } from '../../src/api/api.js'
import { noQuota, quotaOf } from '../../src/api/quota.js'
import type { Clock } from '../../src/clock.js'
import type { Ada } from '../../src/sandbox/ada.js'

export interface SimulatedApiOptions {
  ada: Ada
  key: string
  timeoutMs: number
  /** The caller's; the server has its own, for a caller may stand still. */
  clock: Clock
  /** From 0 to 1. */
  random: () => number
  /** How often no connection comes about. */
  unreachableRate: number
  /** How often the answer never comes. */
  silenceRate: number
  isKeyRefused: () => boolean
  onTimeout: () => void
}

const never = new Promise<never>(() => {})

const origin = 'https://acme.ada.support'

/** Calls the sandbox without a network, so that time may be simulated. */
export function simulatedApi(options: SimulatedApiOptions): Api {
  const { ada, clock, random } = options

  async function call({ method, path, signal }: ApiRequest): Promise<ApiAnswer> {
    signal.throwIfAborted()
    if (random() < options.unreachableRate) return { kind: 'unreachable', message: 'connect ECONNREFUSED' }
    if (options.isKeyRefused()) return { ...answerOf(401), body: { message: 'Unauthorized' } }
    const connection = new AbortController()
    const awake = new AbortController()
    const onAbort = () => awake.abort()
    signal.addEventListener('abort', onAbort, { once: true })
    const request = new Request(`${origin}${path}`, {
      method,
      headers: { authorization: `Bearer ${options.key}` },
      signal: connection.signal,
    })
    const isSilent = random() < options.silenceRate
    const response = getResponse(ada.handlers, request)
      .catch(() => undefined)
      .then((answer) => (isSilent ? never : answer))
    const patience = clock.sleep(options.timeoutMs, awake.signal).then(
      () => 'timeout' as const,
      () => 'aborted' as const,
    )
    const first = await Promise.race([response, patience])
    signal.removeEventListener('abort', onAbort)
    awake.abort()
    if (first === 'aborted' || first === 'timeout') connection.abort()
    if (first === 'aborted') throw signal.reason
    if (first === 'timeout') {
      options.onTimeout()
      return { kind: 'lost', reason: 'timeout', message: 'no answer in time' }
    }
    return first === undefined || first.type === 'error'
      ? { kind: 'lost', reason: 'connection_lost', message: 'socket hang up' }
      : await read(first)
  }

  async function read(response: Response): Promise<ApiAnswer> {
    const headers = Object.fromEntries(response.headers)
    const text = await response.text()
    const quota = quotaOf(headers, clock.wallMs())
    return { ...answerOf(response.status), body: parsed(text), quota }
  }

  return { call }
}

function answerOf(status: number) {
  return { kind: 'answer' as const, status, body: undefined as unknown, quota: noQuota, dateMs: null }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
