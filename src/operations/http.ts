import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib'
import type { Agent, Dispatcher } from 'undici'
import type { Api, ApiAnswer, ApiRequest } from '../job.js'
import type { Quota } from '../settings/limits.js'
import { messageOf } from '../system/text.js'

export interface HttpApiOptions {
  /** Scheme, host and port: `https://acme.ada.support`. */
  origin: string
  /** Sent as a bearer token; kept nowhere else. */
  key: string
  timeoutMs: number
  /** Connections open at once, at most. */
  connections: number
  userAgent: string
}

export interface HttpApi extends Api {
  close(): Promise<void>
}

/** More of a body than this is not looked at, unless the request says so. */
const longestBodyBytes = 64 * 1024

/** undici's connect timer is coarse; a connection that takes longer than this was never made. */
const longestConnectMs = 10_000

/** Talks to the API over HTTP. Redirects are not followed: one could turn a POST into a GET, or leak the key. */
export async function openHttpApi(options: HttpApiOptions): Promise<HttpApi> {
  // It takes long to load, and a plan makes no call.
  const { Agent } = await import('undici')
  const agent = new Agent({
    connections: options.connections,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: Math.min(options.timeoutMs, longestConnectMs) },
  })
  return {
    call: (request) => call(agent, request, options),
    close: () => agent.destroy(),
  }
}

async function call(agent: Agent, request: ApiRequest, options: HttpApiOptions): Promise<ApiAnswer> {
  const abort = new AbortController()
  const stop = () => abort.abort(request.signal.reason)
  const timeout = setTimeout(() => abort.abort(new CallTimeout()), options.timeoutMs)
  if (request.signal.aborted) stop()
  request.signal.addEventListener('abort', stop, { once: true })
  try {
    const answer = await agent.request({
      origin: options.origin,
      path: request.path,
      method: request.method,
      headers: {
        authorization: `Bearer ${options.key}`,
        accept: 'application/json',
        'accept-encoding': 'identity',
        'user-agent': options.userAgent,
        ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: request.body === undefined ? null : JSON.stringify(request.body),
      signal: abort.signal,
    })
    const isWanted = answer.statusCode >= 200 && answer.statusCode < 300
    const bytesMax = (isWanted && request.bodyBytesMax) || longestBodyBytes
    return {
      kind: 'answer',
      status: answer.statusCode,
      ...(await readBody(answer, bytesMax, options.key)),
      headers: answer.headers,
      quota: quotaOf(answer.headers, Date.now()),
      dateMs: Date.parse(String(answer.headers.date)) || null,
    }
  } catch (error) {
    if (request.signal.aborted) throw request.signal.reason
    if (error instanceof CallTimeout) {
      return { kind: 'lost', reason: 'timeout', message: `no answer within ${options.timeoutMs / 1000} s` }
    }
    const message = messageOf(error).replaceAll(options.key, '[key]')
    return isBeforeSending(error)
      ? { kind: 'unreachable', message }
      : { kind: 'lost', reason: 'connection_lost', message }
  } finally {
    clearTimeout(timeout)
    request.signal.removeEventListener('abort', stop)
  }
}

class CallTimeout extends Error {}

/** Reads the body as far as it comes, and says whether it is what its headers announce. */
async function readBody(
  { body, headers }: Dispatcher.ResponseData,
  bytesMax: number,
  key: string,
): Promise<{ body: unknown; isBroken: boolean }> {
  const chunks: Buffer[] = []
  let bytes = 0
  let isBroken = false
  try {
    for await (const chunk of body) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > bytesMax) break
    }
  } catch {
    isBroken = true
  }
  if (bytes === 0) return { body: undefined, isBroken }
  const plain = await decoded(Buffer.concat(chunks), one(headers['content-encoding']), bytesMax)
  if (plain === null) return { body: undefined, isBroken: true }
  // An API, or a proxy before it, may repeat what it was sent.
  const text = plain.toString('utf8', 0, bytesMax).replaceAll(key, '[key]')
  try {
    return { body: JSON.parse(text), isBroken }
  } catch {
    const isWhole = plain.length <= bytesMax
    return {
      body: text,
      isBroken: isBroken || (isWhole && /\bjson\b/i.test(one(headers['content-type']) ?? '')),
    }
  }
}

type Decoder = (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>

const inflated: Decoder = (bytes, options) =>
  promisify(inflate)(bytes, options).catch(() => promisify(inflateRaw)(bytes, options))
const decoders: Readonly<Record<string, Decoder>> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: inflated,
  br: promisify(brotliDecompress),
  identity: async (bytes) => bytes,
}

/** Undoes the encodings that a proxy used though none was asked for; null when that cannot be done within the limit. */
async function decoded(bytes: Buffer, encodings = 'identity', bytesMax: number): Promise<Buffer | null> {
  try {
    let plain = bytes
    for (const encoding of encodings.toLowerCase().split(',').slice(0, 3).reverse()) {
      const decode = decoders[encoding.trim()]
      if (decode === undefined) return null
      plain = await decode(plain, { maxOutputLength: bytesMax })
    }
    return plain
  } catch {
    return null
  }
}

/** Errors that happen before a request is written, so the API cannot have seen it. All else is in doubt. */
function isBeforeSending(error: unknown): boolean {
  const { code = '', syscall } = (error ?? {}) as { code?: string; syscall?: string }
  return (
    syscall === 'connect' ||
    syscall === 'getaddrinfo' ||
    code === 'UND_ERR_CONNECT_TIMEOUT' ||
    code.startsWith('ERR_TLS') ||
    code.startsWith('ERR_SSL') ||
    /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)/.test(code) ||
    (error instanceof AggregateError && error.errors.every(isBeforeSending))
  )
}

/** Ada documents `Retry-After` as whole seconds from 1 to 86,400; a longer wait is cut to a day. */
const longestWaitMs = 86_400_000

type Headers = Record<string, string | string[] | undefined>

/**
 * Reads what an answer's headers say about the rate limits. Moments are turned into spans by the answer's own
 * `Date`, because the server's clock and ours may differ.
 */
export function quotaOf(headers: Headers, wallMs: number): Quota {
  const serverMs = Date.parse(one(headers.date) ?? '') || wallMs
  const resetSeconds = count(headers['x-ratelimit-reset'])
  return {
    retryAfterMs: retryAfterMs(one(headers['retry-after']), serverMs),
    limit: count(headers['x-ratelimit-limit']),
    remaining: count(headers['x-ratelimit-remaining']),
    resetInMs: resetSeconds === null ? null : clamp(resetSeconds * 1000 - serverMs),
  }
}

/** `Retry-After` may be a number of seconds or a date. */
function retryAfterMs(value: string | undefined, serverMs: number): number | null {
  if (value === undefined) return null
  if (/^\s*\d+(\.\d+)?\s*$/.test(value)) return clamp(Number(value) * 1000)
  // Date.parse alone finds a date in `-5`, long past.
  const dateMs = /\d:\d\d:\d\d/.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(dateMs) ? null : clamp(dateMs - serverMs)
}

function count(value: string | string[] | undefined): number | null {
  const text = one(value)?.trim()
  return text !== undefined && /^\d+(\.\d+)?$/.test(text) ? Number(text) : null
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}

function clamp(ms: number): number {
  return Math.min(Math.max(ms, 0), longestWaitMs)
}
