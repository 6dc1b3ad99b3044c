import type { RateWindow } from '../pacing/rate-window.js'

/**
 * Ada's limits for the Conversations API, an instance: 30 calls a second and 300 a minute over all operations
 * and keys together. The daily limit was lifted on 2026-09-18. Source: Ada's public documentation, October 2026.
 */
export const conversationLimits: readonly RateWindow[] = [
  { max: 30, perMs: 1000 },
  { max: 300, perMs: 60_000 },
]
