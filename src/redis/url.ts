import { UsageError } from '../usage-error.js'

/** Where a Redis is and how to come in, the way ioredis wants it. */
export interface RedisAddress {
  host: string
  port: number
  db: number
  username?: string
  password?: string
  tls?: object
}

/** Takes `redis://user:password@host:6379/0` apart, `rediss://` for TLS. Never repeats any of it in an error. */
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
