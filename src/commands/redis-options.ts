import type { Options } from 'yargs'
import type { Flags } from './options.js'

const text = { type: 'string', requiresArg: true, group: 'Pacing:' } as const

/** For runs that share their windows with other hosts. */
export const redisOptions = {
  'redis-url': {
    ...text,
    describe: 'Share the windows and locks with other hosts over Redis [ADA_BULK_REDIS_URL]',
  },
  'redis-timeout': {
    ...text,
    describe: 'Stop (75) when Redis is away for so long in the middle (5m)',
  },
} as const satisfies Record<string, Options>

export type RedisFlags = Flags<typeof redisOptions>
