import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { UsageError } from '../../src/system/errors.js'
import { connectRedis, type RedisConnection, RedisError } from '../../src/system/redis.js'
import { startProxy } from './proxy.js'
import { hasRedis, type RedisServer, startRedis } from './server.js'
import { startTlsRedis } from './tls-server.js'

const password = 'c0rrect h/rse@battery%'
let server: RedisServer
let guarded: RedisServer
beforeAll(async () => {
  ;[server, guarded] = await Promise.all([startRedis(), startRedis(['--requirepass', password])])
})
afterAll(() => Promise.all([server?.stop(), guarded?.stop()]))

const open: RedisConnection[] = []
afterEach(async () => {
  for (const connection of open.splice(0)) await connection.close()
})
async function connected(url: string): Promise<RedisConnection> {
  const connection = await connectRedis(url)
  open.push(connection)
  return connection
}

/** What a person may get to see of an error, down to what it was caused by. */
async function failureOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => expect.fail('did not fail'),
    (reason) => reason,
  )
  expect(error.message).toMatch(/^[^\n]*\.$/)
  return inspect(error, { depth: 10, showHidden: true })
}

const echo = `return ARGV[1]`

/** Asks again until there is an answer. */
async function eventually<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 0; tries < 300; tries++) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof RedisError)) throw error
      await delay(50)
    }
  }
  return ask()
}

describe.runIf(hasRedis)('opening a connection', () => {
  it('runs scripts, those too that the server has forgotten', async () => {
    const connection = await connected(server.url)
    const run = connection.script('testEcho', echo, 0)
    expect(await run('one')).toBe('one')
    await server.client.script('FLUSH')
    expect(await run('two')).toBe('two')
    expect(connection.address).toBe(`127.0.0.1:${server.port}`)
  })

  it('goes to the database of the URL', async () => {
    const connection = await connected(`${server.url}/7`)
    await connection.script(
      'testSet',
      `redis.call('SET', KEYS[1], ARGV[1], 'PX', 60000) return ''`,
      1,
    )('key', 'x')
    await server.client.select(7)
    expect(await server.client.get('key')).toBe('x')
    await server.client.select(0)
    expect(await server.client.get('key')).toBeNull()
  })

  it('comes in with a password', async () => {
    const connection = await connected(`redis://:${encodeURIComponent(password)}@127.0.0.1:${guarded.port}`)
    expect(await connection.script('testEcho', echo, 0)('in')).toBe('in')
  })

  it.each([
    ['nobody listens', () => 'redis://alice:s3cret-pass@127.0.0.1:1', /127\.0\.0\.1:1 .*ECONNREFUSED/],
    ['the host is not known', () => 'redis://alice:s3cret-pass@no-such-host.invalid:6379', /no-such-host/],
    [
      'the password is wrong',
      () => `redis://:s3cret-pass@127.0.0.1:${guarded.port}`,
      /WRONGPASS|invalid .*password/,
    ],
    [
      'the user is not known',
      () => `redis://alice:s3cret-pass@127.0.0.1:${guarded.port}`,
      /WRONGPASS|invalid .*password/,
    ],
    ['a password is needed', () => `redis://127.0.0.1:${guarded.port}`, /NOAUTH/],
    ['the database is not there', () => `${server.url}/99`, /out of range/],
  ])('refuses to start with a sentence when %s', async (_, url, pattern) => {
    await expect(connectRedis(url())).rejects.toThrow(UsageError)
    const failure = await failureOf(connectRedis(url()))
    expect(failure).toMatch(pattern)
    expect(failure).not.toMatch(/alice|s3cret/)
  })

  it('does not wait long for a server that says nothing', async () => {
    server.signal('SIGSTOP')
    try {
      await expect(connectRedis(server.url)).rejects.toThrow(UsageError)
    } finally {
      server.signal('SIGCONT')
    }
  })

  it.each([
    'http://alice:s3cret-pass@cache:6379',
    'alice:s3cret-pass@cache',
    'redis://alice:s3cret%pass@cache:6379',
    'redis://alice:s3cret-pass@cache:6379/sessions',
    'redis://alice:s3cret/pass@cache:6379',
    'redis://',
    '',
  ])('says what a URL looks like when it gets %j', async (url) => {
    await expect(connectRedis(url)).rejects.toThrow(UsageError)
    const failure = await failureOf(connectRedis(url))
    expect(failure).toMatch(/redis:\/\/host:6379/)
    expect(failure).not.toMatch(/alice|s3cret/)
  })
})

describe.runIf(hasRedis)('a connection that is lost', () => {
  it('lets commands fail at once, connects again by itself, and then works', async () => {
    const proxy = await startProxy(guarded.port)
    const connection = await connected(`redis://:${encodeURIComponent(password)}@127.0.0.1:${proxy.port}`)
    const run = connection.script('testEcho', echo, 0)
    await run('before')
    proxy.set('refusing')
    await delay(50)
    const startedMs = performance.now()
    const failure = await failureOf(run('away'))
    expect(performance.now() - startedMs).toBeLessThan(1000)
    expect(failure).toMatch(new RegExp(`RedisError: Redis at 127.0.0.1:${proxy.port} cannot be used`))
    expect(failure).not.toContain(password)
    proxy.set('open')
    expect(await eventually(() => run('back'))).toBe('back')
    proxy.stop()
  })

  it('gives up on a connection that says nothing, and makes another', async () => {
    const proxy = await startProxy(server.port)
    const connection = await connected(`redis://127.0.0.1:${proxy.port}`)
    const run = connection.script('testEcho', echo, 0)
    proxy.set('silent')
    expect(await failureOf(run('away'))).toMatch(/timed out/)
    proxy.set('open')
    expect(await eventually(() => run('back'))).toBe('back')
    proxy.stop()
  })

  it.each([
    ['became a replica', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE'], /READONLY/],
    [
      'has no memory left',
      ['CONFIG', 'SET', 'maxmemory', '1'],
      ['CONFIG', 'SET', 'maxmemory', '0'],
      /OOM|maxmemory/,
    ],
  ])('works again with a server that %s, as soon as that is over', async (_, begin, end, pattern) => {
    const ailing = await startRedis()
    const connection = await connected(ailing.url)
    const run = connection.script('testWrite', `redis.call('SET', KEYS[1], '', 'PX', 60000) return ''`, 1)
    await ailing.client.call(...(begin as [string]))
    expect(await failureOf(run('key'))).toMatch(pattern)
    await ailing.client.call(...(end as [string]))
    expect(await eventually(() => run('key'))).toBe('')
    await ailing.stop()
  })

  it('answers with an error what was under way when the server was killed', async () => {
    const mortal = await startRedis()
    const connection = await connected(mortal.url)
    const run = connection.script('testEcho', echo, 0)
    await run('before')
    mortal.signal('SIGSTOP')
    const underWay = failureOf(run('under way'))
    await mortal.kill()
    expect(await underWay).toMatch(/RedisError/)
    await mortal.start()
    expect(await eventually(() => run('back'))).toBe('back')
    await mortal.stop()
  })
})

describe.runIf(hasRedis)('TLS', () => {
  it('goes through rediss:// where the certificate is trusted, and nowhere else', async () => {
    const tls = await startTlsRedis()
    const url = `rediss://localhost:${tls.port}`
    expect(await failureOf(connectRedis(url))).toMatch(/UsageError.*self.signed certificate/s)
    // Node reads the certificates that it trusts when it starts.
    const code = `
      const { connectRedis } = await import('${join(import.meta.dirname, '../../src/system/redis.ts')}')
      const connection = await connectRedis('${url}')
      console.log(await connection.script('testEcho', 'return ARGV[1]', 0)('sealed'))
      await connection.close()`
    const jiti = join(import.meta.dirname, '../../node_modules/jiti/lib/jiti-cli.mjs')
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: tls.certificate }
    expect(execFileSync(process.execPath, [jiti, tls.script(code)], { env, encoding: 'utf8' })).toBe(
      'sealed\n',
    )
    await tls.stop()
  })
})
