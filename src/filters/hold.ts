import type { Item } from '../item.js'
import type { Filter } from '../job.js'
import { type Fingerprinted, Fingerprinting } from '../sources/fingerprint.js'
import { type HoldSettings, readHoldLists } from '../sources/hold-list.js'
import { kindOfColumn } from '../sources/id-columns.js'
import { idKey, readConversationId, readEndUserId, textOf } from '../sources/identifier.js'
import type { IdRules } from '../sources/items.js'
import type { InputFile } from '../sources/source.js'
import { UsageError } from '../system/errors.js'
import { refused } from './refusal.js'

/** What a hold list has done to the items that its filter has judged. */
export interface HoldMatches {
  name: string
  ids: number
  matching: number
  /** The line of the first ID that matches nothing; null where all match. */
  firstUnmatched: number | null
}

/** Hold lists that were read. */
export interface HoldLists {
  filter: Filter | null
  fingerprints: Fingerprinted[]
  /** The keys of all IDs on hold. */
  keys(): Iterable<string>
  /** After all items were judged. Throws a UsageError for a row that has a form which no ID of the input has. */
  matches(): HoldMatches[]
}

interface Held {
  file: number
  line: number
  key: string
  isMatched: boolean
}

/** Reads hold lists. A row that cannot be an ID would protect nothing: it throws a UsageError. */
export async function openHoldLists(
  files: readonly InputFile[],
  ids: IdRules,
  settings: HoldSettings,
): Promise<HoldLists> {
  if (files.length === 0) return { filter: null, fingerprints: [], keys: () => [], matches: () => [] }
  const held = new Map<string, Held>()
  const forms = new Set<string>()
  const fingerprinting = new Fingerprinting(files)
  for await (const { file, line, keys } of readHoldLists(files, settings, ids, fingerprinting.onBytes))
    for (const key of keys) if (!held.has(key)) held.set(key, { file, line, key, isMatched: false })
  const isHeld = (key: string) => {
    if (forms.size < formsMax) forms.add(formOf(key))
    const found = held.get(key)
    if (found !== undefined) found.isMatched = true
    return found !== undefined
  }
  return {
    filter: notOnHold({ has: isHeld }),
    fingerprints: fingerprinting.done(),
    keys: () => held.keys(),
    matches() {
      if (!settings.acceptsOddHold && forms.size > 0) refuseOdd([...held.values()], forms, files)
      return files.map(({ name }, index) =>
        matchesIn(
          name,
          [...held.values()].filter(({ file }) => file === index),
        ),
      )
    },
  }
}

function matchesIn(name: string, held: readonly Held[]): HoldMatches {
  const unmatched = held.filter(({ isMatched }) => !isMatched)
  return {
    name,
    ids: held.length,
    matching: held.length - unmatched.length,
    firstUnmatched: unmatched[0]?.line ?? null,
  }
}

const formNames = {
  hex: '24 hex digits',
  uuid: 'a UUID',
  email: 'an e-mail address',
  digits: 'digits',
  text: 'other text',
} as const
const formsMax = Object.keys(formNames).length

function formOf(key: string): keyof typeof formNames {
  if (/^[\da-f]{24}$/.test(key)) return 'hex'
  if (/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(key)) return 'uuid'
  if (/^\d+$/.test(key)) return 'digits'
  return /^[^@\s]+@[^@\s]+$/.test(key) ? 'email' : 'text'
}

/** One ID of a row in a form of the input is enough: a list may name a conversation and its end user. */
function refuseOdd(held: readonly Held[], forms: ReadonlySet<string>, files: readonly InputFile[]): void {
  const placeOf = ({ file, line }: Held) => `${file} ${line}`
  const fine = new Set(held.filter(({ key, isMatched }) => isMatched || forms.has(formOf(key))).map(placeOf))
  const odd = held.find((one) => !fine.has(placeOf(one)))
  if (odd === undefined) return
  const usual = Object.entries(formNames).flatMap(([form, name]) => (forms.has(form) ? [name] : []))
  throw new UsageError(
    `--hold ${files[odd.file]!.name}, line ${odd.line}: "${odd.key}" is ${formNames[formOf(odd.key)]}, and no ID of the input is (they are ${usual.join(' or ')}), so the row would protect nobody. Correct it, or name the right column with --hold-column. If it is right, add --accept-odd-hold.`,
  )
}

/** Turns away every item that has a name on a hold list, which has the keys of names. It goes before all other filters. */
export function notOnHold(held: { has(key: string): boolean }): Filter {
  return {
    name: 'hold',
    judge(item) {
      const names = namesOf(item).filter((name) => held.has(name))
      if (names.length === 0) return null
      return refused('on_hold', names[0] === idKey(item.id) ? '' : 'by another name')
    },
  }
}

/** The column of a list of end users that names the conversations for which they are on it, as a JSON array. */
export const conversationsColumn = 'conversation_ids'

const kinds = new Map<string, ReturnType<typeof kindOfColumn>>()
const kindsMax = 10_000

function knownKind(name: string): ReturnType<typeof kindOfColumn> {
  let kind = kinds.get(name)
  if (kind === undefined) {
    kind = kindOfColumn(name)
    if (kinds.size < kindsMax) kinds.set(name, kind)
  }
  return kind
}

/** The keys of an item's ID, of its conversations, and of its end users. */
function namesOf(item: Item): string[] {
  // A run of version 0.1 has IDs as they are in the file.
  const names = [idKey(item.id), idKey(readConversationId(item.id).id)]
  for (const [name, value] of Object.entries(item.record())) {
    if (name === conversationsColumn && typeof value === 'string') names.push(...listed(value).map(idKey))
    const kind = knownKind(name)
    if (kind !== 'conversation' && kind !== 'endUser') continue
    const text = textOf(value)
    const { id, problem } = kind === 'endUser' ? readEndUserId(text) : readConversationId(text)
    if (id !== '' && problem === null) names.push(idKey(id))
  }
  return names
}

/** The names in a JSON array; none in a column of that name with other text. */
function listed(text: string): string[] {
  try {
    const names: unknown = JSON.parse(text)
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : []
  } catch {
    return []
  }
}
