import type { RateWindow } from '../settings/limits.js'

/**
 * Ada's limits for the Conversations API, an instance: 30 calls a second and 300 a minute over all operations
 * and keys together. The daily limit was lifted on 2026-09-18. Source: Ada's public documentation, October 2026.
 */
export const conversationLimits: readonly RateWindow[] = [
  { max: 30, perMs: 1000 },
  { max: 300, perMs: 60_000 },
]

/**
 * Ada's limits for APIs without limits of their own, such as deletion jobs. The End Users API, which takes the batches,
 * allows more (30 a second, 300 a minute); calls to both count together here.
 */
export const otherLimits: readonly RateWindow[] = [
  { max: 10, perMs: 1000 },
  { max: 100, perMs: 60_000 },
  { max: 10_000, perMs: 86_400_000 },
]
