import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { UsageError } from '../system/errors.js'
import { readWords } from '../system/files.js'
import { messageOf } from '../system/text.js'
import { type FlagName, type Flags, rowNamed, valueIn } from './flags.js'
import { named } from './secrets.js'

export type Environment = Readonly<Record<string, string | undefined>>

/** The environment with what a file of `NAME=value` lines adds; what is set and not empty already wins. */
export function withEnvFile(environment: Environment, path: string | undefined): Environment {
  if (path === undefined) return environment
  const set = Object.entries(environment).filter(([, value]) => value !== undefined && value !== '')
  return { ...parseEnv(readText(path, '--env-file')), ...Object.fromEntries(set) }
}

/** The texts that a flag holds, else its variable, each with where it was found. An empty variable counts as absent. */
export function given(
  flags: Flags,
  flag: FlagName,
  environment: Environment,
): [text: string, where: string][] {
  const { variable = '', isList } = rowNamed(flag)
  const typed = flags[flag]
  if (typed !== undefined) return [typed].flat().map((text) => [String(text), `--${flag}`])
  const text = environment[variable] ?? ''
  // A variable for several has spaces between them.
  const texts = isList ? (text.match(/\S+/g) ?? []) : text === '' ? [] : [text]
  return texts.map((one) => [one, variable])
}

/** Where runs live. */
export function runsDirectory(flags: Pick<Flags, 'runs-dir'>, environment: Environment): string {
  return given(flags, 'runs-dir', environment)[0]?.[0] ?? valueIn(flags, 'runs-dir')
}

export function requiredKey(flags: Pick<Flags, 'api-key-file'>, environment: Environment): string {
  const key = apiKey(environment, flags['api-key-file'])
  if (key !== undefined) return key
  throw new UsageError(
    'no API key: set ADA_API_KEY, or name a file that holds it with --api-key-file. (There is no flag for the key itself, as others could read it in the list of processes.) To practise without one, use --sandbox.',
  )
}

/** The API key, from a file or from `ADA_API_KEY`; undefined when there is none. It must never be shown. */
export function apiKey(environment: Environment, keyFile: string | undefined): string | undefined {
  const key = (keyFile === undefined ? environment.ADA_API_KEY : readText(keyFile, '--api-key-file'))?.trim()
  const where = keyFile === undefined ? 'ADA_API_KEY' : named('--api-key-file', keyFile)
  if (key === undefined || key === '') {
    if (keyFile !== undefined) throw new UsageError(`${where}: the file is empty.`)
    return undefined
  }
  if (keyFile !== undefined && /^\s*(export\s+)?[a-z_]\w*\s*=\s*[^=\s]/im.test(key)) {
    throw new UsageError(`${where}: holds lines like NAME=value. Name such a file with --env-file instead.`)
  }
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new UsageError(
      `${where}: holds a space, line break or other character that no key has. Copy the key again.`,
    )
  }
  return key
}

/** Where the ledger, the locks and the sync states of this host's runs live. */
export function stateDirectory(environment: Environment): string {
  if (environment.ADA_BULK_STATE) return environment.ADA_BULK_STATE
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'ada-bulk')
  return join(environment.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'ada-bulk')
}

/** The URL of the Redis that hosts share; null when none is named. It may hold a password: it must never be shown. */
export function redisUrl(flags: Pick<Flags, 'redis-url'>, environment: Environment): string | null {
  return given(flags, 'redis-url', environment)[0]?.[0] ?? null
}

function readText(path: string, flag: string): string {
  try {
    return readWords(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new UsageError(`${named(flag, path)}: cannot be read (${code ?? messageOf(error)}).`)
  }
}
