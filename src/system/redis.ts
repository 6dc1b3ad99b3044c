import { setTimeout as delay } from 'node:timers/promises'
import { UsageError } from './errors.js'
import { messageOf } from './text.js'

/** A connection that reconnects by itself. While it is lost every command fails at once. */
export interface RedisConnection {
  /** Host and port, for messages: never a user or a password. */
  readonly address: string
  /** Gives a function that runs a script by its hash, with the keys as its first arguments. It rejects with `RedisError`. */
  script(name: string, text: string, keys: number): (...args: (string | number)[]) => Promise<unknown>
  close(): Promise<void>
}

/** Redis is away, or refused a command. One sentence, without a user or a password. */
export class RedisError extends Error {
  override readonly name = 'RedisError'
}

/** A slower command fails. */
const commandTimeoutMs = 3000
const openingMaxMs = 5000
const reconnectMaxMs = 2000

/** Connects. Throws a UsageError when that fails. */
export async function connectRedis(url: string): Promise<RedisConnection> {
  const address = parseRedisUrl(url)
  const where = `${address.host}:${address.port}`
  // It takes 60 ms to load, which a run without Redis does not need.
  const { Redis } = await import('ioredis')
  let isOpen = false
  const redis = new Redis({
    ...address,
    lazyConnect: true,
    connectTimeout: commandTimeoutMs,
    commandTimeout: commandTimeoutMs,
    connectionName: 'ada-bulk',
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // Else a command that was in flight when the connection was lost is never answered.
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => (isOpen ? Math.min(50 * 2 ** times, reconnectMaxMs) : null),
    // A server that has become a replica: its name may lead to another one by now.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  })
  /** Why there is no connection. Without a listener ioredis would throw the error. */
  let lastError: Error | null = null
  redis.on('error', (error) => {
    lastError = error
  })
  redis.on('ready', () => {
    lastError = null
  })
  try {
    // A server that is loading its data, or is frozen, keeps ioredis waiting for long.
    await Promise.race([redis.connect(), noAnswerAfter(openingMaxMs)])
    // ioredis uses database 0 when this one does not exist.
    if (address.db !== 0) await redis.select(address.db)
    isOpen = true
  } catch (error) {
    redis.disconnect()
    throw new UsageError(
      `Redis at ${where} cannot be used (${withoutSecrets(messageOf(lastError ?? error), address)}). ` +
        'See that it runs and can be reached from here, and that --redis-url is right.',
    )
  }

  async function answered<T>(command: Promise<T>): Promise<T> {
    try {
      return await command
    } catch (error) {
      // The other side may be gone without a sign, which the system notices only after many minutes.
      if (redis.status === 'ready' && messageOf(error) === 'Command timed out') redis.disconnect(true)
      const reason = withoutSecrets(messageOf(lastError ?? error), address)
      // No cause: an error of ioredis carries the arguments of its command, and those of AUTH are secret.
      throw new RedisError(`Redis at ${where} cannot be used: ${reason}.`)
    }
  }

  return {
    address: where,
    script(name, text, keys) {
      redis.defineCommand(name, { lua: text, numberOfKeys: keys })
      const run = (redis as unknown as Record<string, (...args: (string | number)[]) => Promise<unknown>>)[
        name
      ]!
      return (...args) => answered(run.apply(redis, args))
    },
    async close() {
      redis.disconnect()
    },
  }
}

async function noAnswerAfter(ms: number): Promise<never> {
  await delay(ms, undefined, { ref: false })
  throw new Error(`no answer in ${ms / 1000} s`)
}

function withoutSecrets(text: string, { username, password }: RedisAddress): string {
  return [password, username]
    .filter((secret) => secret !== undefined && secret !== '')
    .reduce<string>((clean, secret) => clean.replaceAll(secret!, '…'), text)
    .replace(/\.+$/, '')
}

/** Address and credentials of a Redis, the way ioredis wants them. */
export interface RedisAddress {
  host: string
  port: number
  db: number
  username?: string
  password?: string
  tls?: object
}

/** Parses `redis://user:password@host:6379/0`, `rediss://` for TLS. An error never repeats any part of it. */
export function parseRedisUrl(text: string): RedisAddress {
  const url = URL.canParse(text) ? new URL(text) : null
  const database = /^\/?(\d{0,4})$/.exec(url?.pathname ?? '')
  if (
    !url ||
    !/^rediss?:$/.test(url.protocol) ||
    url.hostname === '' ||
    !database ||
    url.search ||
    url.hash
  ) {
    throw badUrl()
  }
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port || 6379),
    db: Number(database[1]),
    ...(url.username === '' ? {} : { username: decoded(url.username) }),
    ...(url.password === '' ? {} : { password: decoded(url.password) }),
    ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw badUrl()
  }
}

const badUrl = () =>
  new UsageError(
    'The URL of Redis is not one: write redis://host:6379/0, or rediss://user:password@host:6379/0 with TLS, ' +
      'and in a password %40 for @, %2F for / and %25 for %.',
  )
