import { accessSync, constants, existsSync, mkdtempSync, rmdirSync, statfsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { ApiAnswer } from '../job.js'
import { apiMessage, verdictOf } from '../operations/answer.js'
import { openHttpApi } from '../operations/http.js'
import { harmlessPath } from '../operations/key-check.js'
import { sandboxKey } from '../sandbox/options.js'
import { startSandbox } from '../sandbox/server.js'
import { instanceOrigin, noInstance } from '../settings/addresses.js'
import { redisUrl, requiredKey, runsDirectory, stateDirectory, withEnvFile } from '../settings/environment.js'
import type { FlagsOf } from '../settings/flags.js'
import { UsageError } from '../system/errors.js'
import { version } from '../system/host.js'
import { connectRedis } from '../system/redis.js'
import { inDigits, messageOf } from '../system/text.js'
import type { Command } from './command.js'

/** One thing that is checked. */
interface Check {
  name: 'node' | 'address' | 'key' | 'clock' | 'redis' | 'disk' | 'state'
  isRight: boolean
  /** The finding, and what to do when it is not right. */
  finding: string
}

type DoctorFlags = FlagsOf<'doctor'>

export const command: Command = {
  examples: [
    ['doctor --sandbox', 'What it looks at; name your instance, and it makes one harmless call'],
    ['doctor --sandbox --json', 'For a script'],
  ],

  async run(flags: DoctorFlags, terminal) {
    const environment = withEnvFile(terminal.environment, flags['env-file'])
    const checks = [
      checkNode(),
      ...(await instanceChecks(flags, environment)),
      ...(await redisChecks(redisUrl(flags, environment))),
      checkDirectory('disk', runsDirectory(flags, environment), '--runs-dir'),
      checkDirectory('state', stateDirectory(environment), 'ADA_BULK_STATE'),
    ]
    const isRight = checks.every((check) => check.isRight)
    if (flags.json) terminal.print(JSON.stringify({ isRight, checks }, null, 2))
    else
      for (const check of checks)
        terminal.print(`${check.isRight ? 'ok ' : 'NOT'} ${check.name.padEnd(8)} ${check.finding}`)
    return isRight ? 0 : 3
  },
}

async function instanceChecks(
  flags: DoctorFlags,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Check[]> {
  const sandbox = flags.sandbox ? await startSandbox() : null
  try {
    const origin = attempt('address', () => {
      const named = sandbox?.url ?? instanceOrigin(flags, environment)
      if (named === null) throw new UsageError(noInstance)
      return named
    })
    const key = attempt('key', () => (sandbox ? sandboxKey : requiredKey(flags, environment)))
    const problems = [origin, key].filter(
      (found): found is Check => typeof found === 'object' && found !== null,
    )
    if (problems.length > 0) return problems
    return await checkInstance(origin as string, key as string)
  } finally {
    await sandbox?.close()
  }
}

async function redisChecks(url: string | null): Promise<Check[]> {
  if (url === null) return []
  try {
    const redis = await connectRedis(url)
    await redis.close()
    return [{ name: 'redis', isRight: true, finding: `${redis.address} answers` }]
  } catch (error) {
    return [{ name: 'redis', isRight: false, finding: messageOf(error) }]
  }
}

/** What was found, or the check that failed on it. */
function attempt<T>(name: Check['name'], find: () => T): T | Check {
  try {
    return find()
  } catch (error) {
    return { name, isRight: false, finding: messageOf(error) }
  }
}

function checkNode(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const isRight = major > 20 || (major === 20 && minor >= 19)
  return {
    name: 'node',
    isRight,
    finding: `${process.version}${isRight ? '' : ': 20.19 or newer is needed'}`,
  }
}

/** A run of a million items leaves about this much. */
const comfortableBytes = 1024 ** 3

function checkDirectory(name: 'disk' | 'state', directory: string, setting: string): Check {
  try {
    const there = nearestExisting(resolve(directory))
    accessSync(there, constants.W_OK)
    rmdirSync(mkdtempSync(join(there, '.ada-bulk-')))
    const { bavail, bsize } = statfsSync(there)
    const free = bavail * bsize
    const megabytes = inDigits(Math.floor(free / 1024 ** 2))
    const isRight = free >= comfortableBytes / 10
    return {
      name,
      isRight,
      finding: `${directory}: writable, ${megabytes} MB free${isRight ? '' : ': too little for a large run'}`,
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return {
      name,
      isRight: false,
      finding: `${directory}: cannot be written (${code}); name another with ${setting}`,
    }
  }
}

function nearestExisting(path: string): string {
  return existsSync(path) ? path : nearestExisting(dirname(path))
}

const timeoutMs = 15_000
const clockToleranceMs = 60_000

/** Makes one call that changes nothing, and says what the answer tells about address, key and clock. */
async function checkInstance(origin: string, key: string): Promise<Check[]> {
  const api = await openHttpApi({ origin, key, timeoutMs, connections: 1, userAgent: `ada-bulk/${version}` })
  try {
    const startedMs = Date.now()
    const answer = await api.call({ method: 'GET', path: harmlessPath, signal: new AbortController().signal })
    return checksOf(answer, origin, Date.now() - startedMs)
  } finally {
    await api.close()
  }
}

function checksOf(answer: ApiAnswer, origin: string, ms: number): Check[] {
  if (answer.kind !== 'answer') {
    return [{ name: 'address', isRight: false, finding: `${origin} does not answer: ${answer.message}` }]
  }
  const { status, dateMs } = answer
  const { kind, outcome } = verdictOf(answer, 'found')
  const said = apiMessage(answer.body)
  const address: Check = { name: 'address', isRight: true, finding: `${origin} answers in ${ms} ms` }
  const clock: Check[] = dateMs === null ? [] : [clockCheck(dateMs)]
  if (kind === 'refused') {
    return [
      address,
      {
        name: 'key',
        isRight: false,
        finding: `is refused (HTTP ${status}${said && `: ${said}`}); make a new one in Ada's dashboard`,
      },
      ...clock,
    ]
  }
  if (kind === 'rate_limited')
    return [
      address,
      {
        name: 'key',
        isRight: false,
        finding: 'cannot be checked now: over a rate limit (HTTP 429); try again later',
      },
      ...clock,
    ]
  const isRedirect = status >= 300 && status < 400
  if (kind !== 'settled' || typeof answer.body !== 'object' || answer.body === null || isRedirect) {
    const why = outcome.message.startsWith('HTTP') ? outcome.message : `HTTP ${status}${said && `: ${said}`}`
    return [
      {
        name: 'address',
        isRight: false,
        finding: `${origin} does not answer like Ada's API (${why}); check the address`,
      },
      ...clock,
    ]
  }
  return [address, { name: 'key', isRight: true, finding: 'is taken' }, ...clock]
}

function clockCheck(serverMs: number): Check {
  const aheadMs = Date.now() - serverMs
  const seconds = Math.round(Math.abs(aheadMs) / 1000)
  if (Math.abs(aheadMs) <= clockToleranceMs)
    return { name: 'clock', isRight: true, finding: `agrees with the API's within ${Math.max(1, seconds)} s` }
  return {
    name: 'clock',
    isRight: false,
    finding: `is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} the API's; times in reports and rules like "idle for 14 days" will be off`,
  }
}
