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
const conversationIdMax = 200
/** An e-mail address has 254 characters at most, and a customer's own ID may have more. */
const identifierMax = 1000

/** The ID of a conversation. It becomes a segment of a URL's path. */
export function readConversationId(cell: string): ReadId {
  const id = withoutEdges(cell)
  return { id, problem: commonId.test(id) ? null : (problemInPath(id) ?? problemOf(id)) }
}

/** An identifier of an end user. It is sent in a body, so it may hold what a path must not. */
export function readEndUserId(cell: string): ReadId {
  const id = withoutEdges(cell)
  return { id, problem: commonId.test(id) ? null : problemOf(id) }
}

/** Identifiers of end users that have the same key are one to Ada, which ignores the case of most. */
export function endUserKey(id: string): string {
  return id.toLowerCase()
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

const edges = /^[\s\u200b-\u200f\u2060\ufeff]+|[\s\u200b-\u200f\u2060\ufeff]+$/g

/** Without white space, byte order marks and invisible joiners at either end, which spreadsheets and chats add. */
export function withoutEdges(cell: string): string {
  const text = cell.trim()
  const isPlain = text.charCodeAt(0) < 0x200b && text.charCodeAt(text.length - 1) < 0x200b
  return isPlain ? text : text.replace(edges, '')
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
export function identifierOf(item: Item, flags: IdentifierFlags): Identifier | { problem: string } {
  const column = flags['type-column']
  const said = column === undefined ? flags['identifier-type'] : item.record()[column]
  const type = identifierTypes.find((known) => known === String(said).trim().toLowerCase())
  if (type === undefined)
    return { problem: `${column ?? 'the type'} is none of ${identifierTypes.join(', ')}` }
  if (type !== 'variable_match') return { type, value: item.id }
  const variable = flags.variable ?? item.record().variable
  if (typeof variable !== 'string' || variable === '') {
    return { problem: 'a variable_match needs --variable, the name of the variable' }
  }
  return { type, value: item.id, variable }
}
