import { UsageError } from '../system/errors.js'
import { type Environment, given } from './environment.js'
import type { Flags } from './flags.js'
import type { RateWindow } from './limits.js'
import { isRandom, looksLikeSecret } from './secrets.js'

/** Said where an instance is needed and none is named. */
export const noInstance =
  'no instance: name it with --base-url https://acme.ada.support, --handle acme, or ADA_BASE_URL. To practise on a local one, use --sandbox.'

/** The origin that the flags or the environment name; null when they name none. */
export function instanceOrigin(
  flags: Pick<Flags, 'base-url' | 'handle' | 'region'>,
  environment: Environment,
): string | null {
  const { handle, region } = flags
  if (handle !== undefined && flags['base-url'] !== undefined)
    throw new UsageError('--base-url and --handle both name the instance: give one of them.')
  if (region !== undefined && handle === undefined)
    throw new UsageError('--region goes with --handle; an address has the region in it.')
  if (handle !== undefined) return originOfHandle(handle, region)
  const [named] = given(flags, 'base-url', environment)
  return named === undefined ? null : parseBaseUrl(...named)
}

/** Throws a UsageError when calls to Ada itself would be without limits. `origin` is null for a sandbox. */
export function refuseUnthrottled(limits: readonly RateWindow[] | 'none', origin: string | null): void {
  if (limits !== 'none' || origin === null || isLoopback(new URL(origin).hostname)) return
  throw new UsageError(
    `--api-limit none: ${origin} is not on this machine, and Ada limits the calls to it. Leave the flag out, or write what Ada allows, like --api-limit 300/m.`,
  )
}

const apiPath = /^\/*(api\/*(v\d+(\/.*)?)?)?$/i

/**
 * The origin of an instance, from any form in which people write its address: with or without `https://`, `/api`,
 * `/api/v2` and a final slash. Plain http is taken for this machine only, as the key would be readable on the way.
 */
export function parseBaseUrl(text: string, flag = '--base-url'): string {
  const trimmed = text.trim()
  const url = urlOf(withScheme(trimmed))
  if (url === null || trimmed === '') {
    throw new UsageError(`${flag}: not an address. Write it like https://acme.ada.support.`)
  }
  const isWord = !trimmed.includes('.')
  if ((isWord && looksLikeSecret(trimmed)) || url.hostname.split('.').some(isRandom)) throw keyInstead(flag)
  if (/^[a-z0-9-]+$/i.test(trimmed) && trimmed !== 'localhost') {
    throw new UsageError(`${flag} ${text}: not an address. For a handle alone, write --handle ${trimmed}.`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new UsageError(
      `${flag}: an address with a user or password in it is not taken. The key goes into ADA_API_KEY.`,
    )
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new UsageError(`${flag} ${text}: must begin with https://.`)
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    throw new UsageError(
      `${flag} ${text}: plain http would send the key readable for all on the way. Write https://${url.host}.`,
    )
  }
  if (!apiPath.test(url.pathname)) {
    throw new UsageError(`${flag}: ends in a path that is not Ada's. Write ${url.origin}.`)
  }
  return url.origin
}

/** The origin of `acme`, or of `acme` in the cluster `eu`. */
export function originOfHandle(handle: string, region?: string): string {
  for (const [flag, part] of [
    ['--handle', handle],
    ['--region', region ?? 'eu'],
  ]) {
    if (isRandom(part!) || (looksLikeSecret(part!) && !isHandle(part!))) throw keyInstead(flag!)
    if (!isHandle(part!)) {
      throw new UsageError(
        `${flag} ${part}: must be letters, digits and hyphens, like acme. Use --base-url for a whole address.`,
      )
    }
  }
  return `https://${[handle, ...(region ? [region] : []), 'ada.support'].join('.')}`.toLowerCase()
}

const isHandle = (text: string) => /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/i.test(text)

function keyInstead(flag: string): UsageError {
  return new UsageError(
    `${flag}: not an address. (Its value is not shown, as it could be a key: that goes into ADA_API_KEY, or into a file for --api-key-file.)`,
  )
}

/** A missing scheme is https, except on this machine, where there are no certificates. */
function withScheme(address: string): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(address)) return address
  const isHere = isLoopback(urlOf(`http://${address}`)?.hostname ?? '')
  return `${isHere ? 'http' : 'https'}://${address}`
}

function urlOf(text: string): URL | null {
  try {
    return new URL(text)
  } catch {
    return null
  }
}

/** This machine. */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127(\.\d+){3}$/.test(hostname)
  )
}
