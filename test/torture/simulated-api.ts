import { getResponse } from 'msw'
import type { Api, ApiAnswer, ApiRequest } from '../../src/job.js'
import { quotaOf } from '../../src/operations/http.js'
import type { Ada } from '../../src/sandbox/ada.js'
import { noQuota } from '../../src/settings/limits.js'
import type { SimulatedTime } from './host.js'
import type { Counts } from './result.js'

export interface SimulatedApiOptions {
  ada: Pick<Ada, 'handlers'>
  key: string
  timeoutMs: number
  time: SimulatedTime
  /** From 0 to 1. */
  random: () => number
  /** How often no connection comes about. */
  unreachableRate: number
  /** How often the answer never comes. */
  silenceRate: number
  isKeyRefused: () => boolean
  isInStorm: () => boolean
  counts: Counts
}

const never = new Promise<never>(() => {})

const origin = 'https://acme.ada.support'

/** Given as a reason, as making one for each call takes long. */
const over = new Error('The call is over')

/** Calls the sandbox without a network, so that time may be simulated. */
export function simulatedApi(options: SimulatedApiOptions): Api {
  const { ada, time, random, counts } = options

  async function call({ method, path, signal }: ApiRequest): Promise<ApiAnswer> {
    signal.throwIfAborted()
    if (random() < options.unreachableRate) {
      counts.unreachable += 1
      return { kind: 'unreachable', message: 'connect ECONNREFUSED' }
    }
    if (options.isInStorm()) {
      counts.serverErrors += 1
      return { ...answerOf(502 + Math.floor(random() * 3)), body: '<html><h1>Bad Gateway</h1></html>' }
    }
    if (options.isKeyRefused()) return { ...answerOf(401), body: { message: 'Unauthorized' } }
    const connection = new AbortController()
    const first = await firstOf(answerTo(method, path, connection.signal), signal)
    if (first === 'aborted' || first === 'timeout') connection.abort(over)
    if (first === 'aborted') throw signal.reason
    if (first === 'timeout') {
      counts.timeouts += 1
      return { kind: 'lost', reason: 'timeout', message: 'no answer in time' }
    }
    return first === undefined || first.type === 'error'
      ? { kind: 'lost', reason: 'connection_lost', message: 'socket hang up' }
      : await read(first)
  }

  /** Undefined: the connection broke. */
  async function answerTo(method: string, path: string, signal: AbortSignal): Promise<Response | undefined> {
    const isSilent = random() < options.silenceRate
    const headers = { authorization: `Bearer ${options.key}` }
    const request = new Request(`${origin}${path}`, { method, headers, signal })
    const answer = await getResponse(ada.handlers, request).catch(() => undefined)
    if (isSilent) await never
    await time.awake()
    return answer
  }

  function firstOf<T>(answer: Promise<T>, signal: AbortSignal): Promise<T | 'timeout' | 'aborted'> {
    return new Promise((resolve) => {
      const end = (first: T | 'timeout' | 'aborted') => {
        signal.removeEventListener('abort', onAbort)
        forget()
        resolve(first)
      }
      const onAbort = () => end('aborted')
      signal.addEventListener('abort', onAbort, { once: true })
      const forget = time.planForClient(options.timeoutMs, () => end('timeout'))
      void answer.then(end)
    })
  }

  async function read(response: Response): Promise<ApiAnswer> {
    const headers = Object.fromEntries(response.headers)
    const text = await response.text()
    const quota = quotaOf(headers, time.client.wallMs())
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
