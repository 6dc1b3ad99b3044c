import { accessSync, constants, existsSync, mkdtempSync, rmdirSync, statfsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { ApiAnswer } from '../job.js'
import { apiMessage, verdictOf } from '../operations/answer.js'
import { openHttpApi } from '../operations/http.js'
import { harmlessPath } from '../operations/key-check.js'
import { sandboxKey } from '../sandbox/options.js'
import { startSandbox } from '../sandbox/server.js'
import { instanceOrigin, noInstance } from '../settings/addresses.js'
import {
  type Environment,
  redisUrl,
  requiredKey,
  runsDirectory,
  stateDirectory,
  withEnvFile,
} from '../settings/environment.js'
import type { FlagsOf } from '../settings/flags.js'
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

const right = (name: Check['name'], finding: string): Check => ({ name, isRight: true, finding })
const wrong = (name: Check['name'], finding: string): Check => ({ name, isRight: false, finding })

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

async function instanceChecks(flags: DoctorFlags, environment: Environment): Promise<Check[]> {
  const sandbox = flags.sandbox ? await startSandbox() : null
  const wrongs: Check[] = []
  const found = (name: Check['name'], find: () => string | null) => {
    try {
      return find()
    } catch (error) {
      wrongs.push(wrong(name, messageOf(error)))
      return null
    }
  }
  try {
    const origin = found('address', () => sandbox?.url ?? instanceOrigin(flags, environment))
    if (origin === null && wrongs.length === 0) wrongs.push(wrong('address', noInstance))
    const key = found('key', () => (sandbox ? sandboxKey : requiredKey(flags, environment)))
    return origin === null || key === null ? wrongs : await checkInstance(origin, key)
  } finally {
    await sandbox?.close()
  }
}

async function redisChecks(url: string | null): Promise<Check[]> {
  if (url === null) return []
  try {
    const redis = await connectRedis(url)
    await redis.close()
    return [right('redis', `${redis.address} answers`)]
  } catch (error) {
    return [wrong('redis', messageOf(error))]
  }
}

function checkNode(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const isRight = major > 20 || (major === 20 && minor >= 19)
  return isRight
    ? right('node', process.version)
    : wrong('node', `${process.version}: 20.19 or newer is needed`)
}

/** A run of a million items needs about ten times as much. */
const freeBytesMin = 100 * 1024 ** 2

function checkDirectory(name: 'disk' | 'state', directory: string, setting: string): Check {
  try {
    const existing = nearestExisting(resolve(directory))
    accessSync(existing, constants.W_OK)
    rmdirSync(mkdtempSync(join(existing, '.ada-bulk-')))
    const { bavail, bsize } = statfsSync(existing)
    const finding = `${directory}: writable, ${inDigits(Math.floor((bavail * bsize) / 1024 ** 2))} MB free`
    return bavail * bsize < freeBytesMin
      ? wrong(name, `${finding}: too little for a large run`)
      : right(name, finding)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return wrong(name, `${directory}: cannot be written (${code}); name another with ${setting}`)
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
  if (answer.kind !== 'answer') return [wrong('address', `${origin} does not answer: ${answer.message}`)]
  const { status, body, dateMs } = answer
  const { kind, outcome } = verdictOf(answer, 'found')
  const message = apiMessage(body)
  const said = `HTTP ${status}${message && `: ${message}`}`
  const clock = dateMs === null ? [] : [clockCheck(dateMs)]
  const address = right('address', `${origin} answers in ${ms} ms`)
  if (kind === 'refused')
    return [address, wrong('key', `is refused (${said}); make a new one in Ada's dashboard`), ...clock]
  if (kind === 'rate_limited')
    return [
      address,
      wrong('key', `cannot be checked now: over a rate limit (HTTP 429); try again later`),
      ...clock,
    ]
  const isRedirect = status >= 300 && status < 400
  if (kind === 'settled' && typeof body === 'object' && body !== null && !isRedirect)
    return [address, right('key', 'is taken'), ...clock]
  const why = outcome.message.startsWith('HTTP') ? outcome.message : said
  return [wrong('address', `${origin} does not answer like Ada's API (${why}); check the address`), ...clock]
}

function clockCheck(serverMs: number): Check {
  const aheadMs = Date.now() - serverMs
  const seconds = Math.round(Math.abs(aheadMs) / 1000)
  if (Math.abs(aheadMs) <= clockToleranceMs)
    return right('clock', `agrees with the API's within ${Math.max(1, seconds)} s`)
  return wrong(
    'clock',
    `is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} the API's; times in reports and rules like "idle for 14 days" will be off`,
  )
}
