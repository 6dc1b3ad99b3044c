import { ledgerScript } from '../../src/pacing/redis-script.js'
import type { RedisConnection } from '../../src/system/redis.js'

/** What a Redis server says of itself. */
export interface ServerState {
  nowMs: number
  uptimeMs: number
  id: string
}

/** The ledger's script with the server's time as its last arguments, which `withServer` adds. */
export const scriptOnFakeTime = ledgerScript(`
  local server_ms, uptime_ms = tonumber(ARGV[#ARGV - 2]), tonumber(ARGV[#ARGV - 1])
  local server_id = 'start ' .. ARGV[#ARGV]`)

type Run = (...args: (string | number)[]) => Promise<unknown>

/** A connection to a server that says so of itself when the script comes to it. `journey` surrounds each visit. */
export function withServer(
  connection: Pick<RedisConnection, 'script'>,
  state: () => ServerState,
  journey: (visit: () => Promise<unknown>) => Promise<unknown> = (visit) => visit(),
): Pick<RedisConnection, 'script'> {
  return {
    script(name, text, keys): Run {
      const run = connection.script(name, text, keys)
      return (...args) =>
        journey(() => {
          const { nowMs, uptimeMs, id } = state()
          return run(...args, nowMs, uptimeMs, id)
        })
    },
  }
}
