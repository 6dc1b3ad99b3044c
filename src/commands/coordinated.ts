import { type Coordination, openCoordination } from '../runs/coordination.js'
import { type Environment, redisUrl, stateDirectory } from '../settings/environment.js'
import { parsePositiveDuration } from '../settings/values.js'
import { systemClock } from '../system/clock.js'
import type { RedisFlags } from './redis-options.js'

/** Does the work with what runs have in common open. A sandbox of a command's own is nobody else's, so it needs no Redis. */
export async function coordinated<T>(
  flags: Partial<RedisFlags>,
  environment: Environment,
  isSandbox: boolean,
  work: (coordination: Coordination) => Promise<T>,
): Promise<T> {
  const timeout = flags['redis-timeout']
  const coordination = await openCoordination({
    stateDirectory: stateDirectory(environment),
    redisUrl: isSandbox ? null : redisUrl(environment, flags['redis-url']),
    redisTimeoutMs: timeout === undefined ? 300_000 : parsePositiveDuration(timeout, '--redis-timeout'),
    clock: systemClock,
  })
  try {
    return await work(coordination)
  } finally {
    await coordination.close()
  }
}
