import type { Item } from '../item.js'

/** The kinds of identifier by which Ada finds end users to erase. */
export const identifierTypes = [
  'email',
  'chatter_id',
  'external_id',
  'end_user_id',
  'variable_match',
] as const
export type IdentifierType = (typeof identifierTypes)[number]

/** How one item names its end users, as the API takes it. */
export interface Identifier {
  type: IdentifierType
  value: string
  /** Of `variable_match`: the variable that has this value. */
  variable?: string
}

/** The flags that say so. */
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
    return { problem: 'of a variable_match --variable has to name the variable' }
  }
  return { type, value: item.id, variable }
}
