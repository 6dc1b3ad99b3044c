import { type Coordination, openCoordination } from '../runs/coordination.js'
import { type Environment, redisUrl, stateDirectory } from '../settings/environment.js'
import { type Flags, valueIn } from '../settings/flags.js'
import { systemClock } from '../system/clock.js'

/** Does the work with what runs have in common open. A sandbox of a command's own is nobody else's, so it needs no Redis. */
export async function coordinated<T>(
  flags: Flags,
  environment: Environment,
  isSandbox: boolean,
  work: (coordination: Coordination) => Promise<T>,
): Promise<T> {
  const coordination = await openCoordination({
    stateDirectory: stateDirectory(environment),
    redisUrl: isSandbox ? null : redisUrl(flags, environment),
    redisTimeoutMs: valueIn(flags, 'redis-timeout'),
    clock: systemClock,
  })
  try {
    return await work(coordination)
  } finally {
    await coordination.close()
  }
}
