import type { Quota } from './quota.js'

/** The API as an operation sees it. */
export interface Api {
  /** Makes one call and says what became of it. Only an abort of the signal throws. */
  call(request: ApiRequest): Promise<ApiAnswer>
}

export interface ApiRequest {
  method: 'GET' | 'POST' | 'PATCH'
  /** From the origin on, segments encoded: `/api/v2/conversations/66f…/end/`. */
  path: string
  body?: unknown
  signal: AbortSignal
  /** More of the body of a 2xx than this is not looked at (64 KiB, as of every other answer). */
  bodyBytesMax?: number
}

export type ApiAnswer =
  /** `body` is parsed JSON, or text when it is none, or undefined; cut at a sane length. `dateMs` is the API's clock (Unix). */
  | { kind: 'answer'; status: number; body: unknown; quota: Quota; dateMs: number | null }
  /** Never reached the API: name not found, connection refused. */
  | { kind: 'unreachable'; message: string }
  /** Sent, and no answer came. */
  | { kind: 'lost'; reason: 'timeout' | 'connection_lost'; message: string }
