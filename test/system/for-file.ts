import { afterAll, beforeAll } from 'vitest'
import { connectRedis, type RedisConnection } from '../../src/system/redis.js'
import { type RedisServer, startRedis } from './server.js'

/** One for a test file, and a connection to it, both gone with the file. */
export function startRedisForFile(use: (server: RedisServer, connection: RedisConnection) => void): void {
  let server: RedisServer | undefined
  let connection: RedisConnection | undefined
  beforeAll(async () => {
    server = await startRedis()
    connection = await connectRedis(server.url)
    use(server, connection)
  })
  afterAll(async () => {
    await connection?.close()
    await server?.stop()
  })
}
