import { createHmac } from 'node:crypto'
import { UsageError } from '../system/errors.js'

/** Keyed hashes that the record holds in place of identifiers. Without the key, names cannot even be tried out. */
export interface Pseudonyms {
  of(id: string): string
  /** Identifies the key in run.json without giving it away. */
  check: string
}

export function pseudonymsBy(key: string): Pseudonyms {
  const hash = (text: string) => createHmac('sha256', key).update(text).digest('hex')
  return {
    of: (id) => `hmac-sha256:${hash(id).slice(0, 32)}`,
    check: hash('\u0000ada-bulk check of the pseudonym key').slice(0, 16),
  }
}

const variable = 'ADA_BULK_PSEUDONYM_KEY'

/** Throws a UsageError when there is no key, or one that could be guessed. */
export function requiredPseudonyms(environment: Readonly<Record<string, string | undefined>>): Pseudonyms {
  const key = environment[variable]
  if (!key)
    throw new UsageError(`--pseudonymise needs a key: set ${variable}, and keep it to resume the run.`)
  if (key.length < 16)
    throw new UsageError(`${variable} is too short to protect anybody: 16 characters at least.`)
  return pseudonymsBy(key)
}

/** The pseudonyms of a run that has its run.json; null when the run keeps the IDs. Throws for another key. */
export function pseudonymsOfRun(
  run: { pseudonyms?: string | undefined },
  environment: Readonly<Record<string, string | undefined>>,
): Pseudonyms | null {
  if (run.pseudonyms === undefined) return null
  const pseudonyms = requiredPseudonyms(environment)
  if (pseudonyms.check !== run.pseudonyms)
    throw new UsageError(`${variable} is not the key that this run began with: set that one.`)
  return pseudonyms
}
