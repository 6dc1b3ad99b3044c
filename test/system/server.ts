import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'

/** Another one to test with, `valkey-server` for example. */
const executable = process.env.REDIS_SERVER ?? 'redis-server'
export const hasRedis = spawnSync(executable, ['--version']).error === undefined
if (!hasRedis) {
  const how = `which needs ${executable} (Debian: apt-get install redis-server)`
  if (process.env.CI) throw new Error(`The tests with Redis cannot run, ${how}.`)
  console.warn(`NOT TESTED: Redis, ${how}.`)
}

/** A redis-server of a test's own, on a free port and with a directory that goes with it. */
export interface RedisServer {
  port: number
  /** Free; it stands for `{tls}` in the settings. */
  tlsPort: number
  url: string
  directory: string
  /** For a look inside. */
  client: Redis
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void
  /** As by kill -9. */
  kill(): Promise<void>
  /** On the same port; with the data of before only if it was started with `appendonly yes`. */
  start(): Promise<void>
  stop(): Promise<void>
}

export async function startRedis(settings: string[] = []): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-redis-'))
  const [port, tlsPort] = [await freePort(), await freePort()]
  const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', '']
  const args = [...own, ...settings.map((setting) => (setting === '{tls}' ? String(tlsPort) : setting))]
  const password = settings[settings.indexOf('--requirepass') + 1]
  const client = new Redis({
    port,
    retryStrategy: () => 20,
    maxRetriesPerRequest: null,
    ...(settings.includes('--requirepass') ? { password: password! } : {}),
  })
  client.on('error', () => {})
  let server: ChildProcess

  async function start(): Promise<void> {
    server = spawn(executable, args, { stdio: 'ignore' })
    await once(server, 'spawn')
    await client.ping()
  }

  async function kill(): Promise<void> {
    if (server.exitCode !== null || server.signalCode !== null) return
    server.kill('SIGKILL')
    await once(server, 'exit')
  }

  await start()
  return {
    port,
    tlsPort,
    url: `redis://127.0.0.1:${port}`,
    directory,
    client,
    signal: (signal) => server.kill(signal),
    kill,
    start,
    async stop() {
      client.disconnect()
      await kill()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
