import { domainToASCII } from 'node:url'
import type { Item } from '../item.js'

/** The columns of a conversation's ID, in this order: the `_id` of a message is not the one of its conversation. */
export const conversationIdNames = ['conversation_id', 'conversationId', 'Conversation ID', '_id', 'id']

/** A cell read as an identifier; `problem` says why it must not be used. An empty cell has the ID ''. */
export interface ReadId {
  id: string
  problem: string | null
}

/** Ada's IDs are 24 hex digits today, and its versioning rules allow other forms: insist on little. */
const commonId = /^[A-Za-z0-9_-]{1,200}$/
/** Nothing is around such an ID: a dash before it could be one of a list. */
const plainId = /^\w[\w-]{0,199}$/
const conversationIdMax = 200
/** An e-mail address has 254 characters at most, and a customer's own ID may have more. */
const identifierMax = 1000

/** The ID of a conversation, without what spreadsheets and people put around it. It becomes a segment of a URL's path. */
export function readConversationId(cell: string): ReadId {
  if (plainId.test(cell)) return { id: cell, problem: notAnId(cell) }
  const bare = withoutWrapping(cell)
  const nothing =
    notAnId(withoutEdges(cell)) ?? notAnId(bare) ?? (bare.startsWith('#') ? 'is a comment' : null)
  if (nothing !== null) return { id: withoutEdges(cell), problem: nothing }
  const read = idInLink(bare) ?? withoutNote(bare)
  if (typeof read !== 'string') return { id: withoutEdges(cell), problem: read.problem }
  return { id: read, problem: commonId.test(read) ? null : (problemInPath(read) ?? problemOf(read)) }
}

/** An identifier of an end user. It is sent in a body, so it may hold what a path must not. */
export function readEndUserId(cell: string): ReadId {
  if (plainId.test(cell)) return { id: cell, problem: notAnId(cell) }
  const bare = withoutWrapping(cell)
  const nothing = notAnId(withoutEdges(cell)) ?? notAnId(bare)
  if (nothing !== null) return { id: withoutEdges(cell), problem: nothing }
  const id = addressIn(bare) ?? bare
  return { id, problem: problemOf(id) }
}

/** As version 0.1 read an ID: its runs are resumed and verified by what they have recorded. */
export function readAsBefore(cell: string, isFree: boolean): ReadId {
  const id = withoutEdges(cell)
  if (commonId.test(id)) return { id, problem: null }
  return { id, problem: (isFree ? null : problemInPath(id)) ?? problemOf(id) }
}

const isAscii = /^[ -~]*$/

/** IDs that have the same key are one: the key knows no case, no form of Unicode, and one spelling of a domain. */
export function idKey(id: string): string {
  if (isAscii.test(id)) return id.toLowerCase()
  const key = id.normalize('NFKC').toLowerCase().normalize('NFKC')
  const at = key.lastIndexOf('@')
  const domain = at === -1 ? '' : domainToASCII(key.slice(at + 1))
  return domain === '' ? key : `${key.slice(0, at + 1)}${domain}`
}

const noIds: readonly (readonly [RegExp, string])[] = [
  [/^(?:[+-]?\d+[.,]\d+e[+-]?\d+|\d+e[+-]\d+)$/i, 'Excel rounded this number; export the column as text'],
  [/^#(?:n\/[ad]|nv|[\p{L}\d/¡]{2,12}[!?])$/iu, 'is the error of a spreadsheet cell'],
  [/^(?:\(?null\)?|nil|none|nan|n\/?a|n\.a\.|undefined|\\n|-+|\?+)$/i, 'stands for no value'],
  [/^(?:(?:grand|sub)[ -]?)?totals?(?:[\s:=].*)?$|^\(?\d+ rows?\b/i, 'is a total, not an ID'],
  [/^(?:#\s|\/\/|\/\*|--\s)/, 'is a comment'],
  [
    /^<(?:[!?/]|\w+\s[^<>]*=)|^<(\w+)[^<>]*>.*<\/\1>|^<(?:html|head|body|title|meta|hr|br|h\d|div|pre|table)>$/i,
    'is HTML',
  ],
]
/** Longer than any word or number that stands for no ID. */
const noIdMax = 16

/** Why a cell cannot be an ID, whoever has made it up; null when it can. */
function notAnId(text: string): string | null {
  if (text.length > noIdMax && plainId.test(text)) return null
  return noIds.find(([form]) => form.test(text))?.[1] ?? null
}

function problemInPath(id: string): string | null {
  if (id.length > conversationIdMax) return `longer than ${conversationIdMax} characters`
  if (id.includes('/')) return 'contains a slash'
  return id === '.' || id.includes('..') ? 'contains dots that climb in a path' : null
}

const unprintable = /[\p{C}\p{Zl}\p{Zp}\ufffd]|(?! )\p{Zs}/u

function problemOf(id: string): string | null {
  if (id.length > identifierMax) return `longer than ${identifierMax} characters`
  return unprintable.test(id) ? 'contains a character that cannot be printed' : null
}

/** White space and what cannot be seen: joiners, marks of direction and byte order, fillers. */
const unseen = '[\\s\\p{Z}\\p{Cf}\\u034f\\u115f\\u1160\\u2800\\u3164\\ufe00-\\ufe0f\\uffa0]+'
const edges = new RegExp(`^${unseen}|${unseen}$`, 'gu')
const mayHaveUnseen = /[^!-~]$|^[^!-~]/

/** Without white space, byte order marks and invisible characters at either end, which spreadsheets and chats add. */
export function withoutEdges(cell: string): string {
  return mayHaveUnseen.test(cell) ? cell.trim().replace(edges, '') : cell
}

const quotes = '["\'`´‘’‚‛“”„‟′″‵‶‹›«»「」『』〝〞〟＂＇]+'
const machineId = '(?:[\\da-f]{8}(?:-[\\da-f]{4}){3}-[\\da-f]{12}|[\\da-f]{24})(?![\\w-])'

/** Each gives what it wraps as its group. */
const wrappings: readonly RegExp[] = [
  new RegExp(`^${quotes}(.*)$`, 's'),
  new RegExp(`^(.*?)${quotes}$`, 's'),
  /^=\s*HYPERLINK\(\s*"([^"]+)"/is,
  /^\[[^\]]*\]\((\S+)\)$/,
  /^=\s*(["'“].*)$/s,
  /^(?:new\s+)?ObjectId\((.*)\)$/is,
  /^\{\s*["']?\$oid["']?\s*:(.*)\}$/s,
  /^<(.*)>$/s,
  /^(.*?)[,;]+$/s,
  /^[-*•·–—]\s+(.*)$/s,
  new RegExp(`^(?:[-+*•·–—]|\\d{1,9}[.)])\\s*(${machineId}.*)$`, 'is'),
]
const wrappingsMax = 20

function withoutWrapping(cell: string): string {
  let bare = withoutEdges(cell)
  for (let round = 0; round < wrappingsMax; round++) {
    const inside = wrappings.map((wrapping) => wrapping.exec(bare)?.[1]).find((text) => text !== undefined)
    if (inside === undefined || bare.length > identifierMax) break
    bare = withoutEdges(inside)
  }
  return bare
}

const idWithNote = new RegExp(`^(${machineId})([\\s#(\\[,;.:|/–—].*)$`, 'is')
const commonIdWithNote = /^([\w-]{1,200})(?:\s+(?:#|\/\/).*|\s*\(.*\))$/s

/** The ID before a note, as in `66f2a91c4be07d3f5c1e0001 (legal)`. */
function withoutNote(text: string): string | { problem: string } {
  const [, id, note = ''] = idWithNote.exec(text) ?? []
  if (id === undefined) return commonIdWithNote.exec(text)?.[1] ?? text
  const others = note.match(new RegExp(machineId, 'gi')) ?? []
  if (others.some((other) => idKey(other) !== idKey(id))) return { problem: 'holds more than one ID' }
  return note.startsWith('/') && !note.startsWith('//') ? text : id
}

const inConversations = /\bconversations?\/([\w-]{1,200})(?=$|[/?#&|\s])/i
const inQuery = /[?&#](?:conversation(?:_?id)?|id)=([\w-]{1,200})(?=$|[&#|\s])/i
const ofOthers = /\b(?:(?:end-?)?users?|chatters?|channels?|messages?|workspaces?|jobs?)\/$/i
const pages = /^(?:all|list|search|inbox|active|ended|open|closed|archived?|exports?|new)$/i

/** The ID in a link to a conversation, in the dashboard or the API; null for what is no link. */
function idInLink(text: string): string | { problem: string } | null {
  if (!/^(?:https?:\/\/|www\.|\/|[\w.-]+\.ada\.(?:support|cx)\/|conversations?\/)/i.test(text)) return null
  const link = text.replaceAll(/%([2-7][\da-f])/gi, (_, code) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  )
  const isMachine = new RegExp(`^${machineId}$`, 'i')
  const named = [inConversations.exec(link)?.[1], inQuery.exec(link)?.[1]].filter(
    (id): id is string => id !== undefined && !pages.test(id),
  )
  const others = [...link.matchAll(new RegExp(`(?<![\\w-])${machineId}`, 'gi'))]
    .filter(({ index }) => !ofOthers.test(link.slice(0, index)))
    .map(([id]) => id)
  const only = new Set(others.map(idKey)).size === 1 ? others[0] : undefined
  const id = named.find((one) => isMachine.test(one)) ?? named[0] ?? only
  if (id !== undefined) return id
  return text.startsWith('/') ? null : { problem: 'is a link that names no conversation' }
}

const address = '[^\\s@<>(),;:"]+@[^\\s@<>(),;:?"]*[^\\s@<>(),;:?".]'
const oneAddress = new RegExp(`^${address}$`)
const addressAlone = new RegExp(`^(?:mailto:)?(${address})(?:\\?[^@]*)?[.,;\\s]*(?:[(#][^@]*)?$`, 'i')
const addressWithName = /^[^<>@]*<([^<>]+)>[.,;\s]*(?:[(#][^@]*)?$/

/** The only e-mail address in a text, as in `Jane Doe <jane@example.com>;`; null for other identifiers. */
function addressIn(text: string): string | null {
  if (!text.includes('@')) return null
  const named = addressWithName.exec(text)?.[1]
  return addressAlone.exec(named === undefined ? text : withoutWrapping(named))?.[1] ?? null
}

/** The text of a cell or a field that may hold an ID; '' for anything else. */
export function textOf(value: unknown): string {
  if (typeof value === 'object' && value !== null && '$oid' in value) return textOf(value.$oid)
  return typeof value === 'string' || Number.isSafeInteger(value) ? String(value) : ''
}

/** The kinds of identifier by which Ada finds end users to erase. */
export const identifierTypes = [
  'email',
  'chatter_id',
  'external_id',
  'end_user_id',
  'variable_match',
] as const
export type IdentifierType = (typeof identifierTypes)[number]

/** How an item names its end users, as the API takes it. */
export interface Identifier {
  type: IdentifierType
  value: string
  /** With `variable_match`: the variable that has this value. */
  variable?: string
}

/** The flags that say how. */
export interface IdentifierFlags {
  'identifier-type'?: string | undefined
  'type-column'?: string | undefined
  variable?: string | undefined
}

/** The identifier of an item, or what is wrong with it. */
export function identifierOf(
  item: Item,
  flags: IdentifierFlags,
): Identifier | { problem: string; isOfId?: true } {
  const column = flags['type-column']
  const said = column === undefined ? flags['identifier-type'] : item.record()[column]
  const type = identifierTypes.find((known) => known === String(said).trim().toLowerCase())
  if (type === undefined)
    return { problem: `${column ?? 'the type'} is none of ${identifierTypes.join(', ')}` }
  if (type === 'email' && !oneAddress.test(item.id))
    return { problem: 'is not one e-mail address', isOfId: true }
  if (type !== 'variable_match') return { type, value: item.id }
  const variable = flags.variable ?? item.record().variable
  if (typeof variable !== 'string' || variable === '') {
    return { problem: 'a variable_match needs --variable, the name of the variable' }
  }
  return { type, value: item.id, variable }
}
