import { readConversationId, withoutEdges } from './identifier.js'

/** Names of columns are one without case, spaces, separators, and what Salesforce adds: `Conv ID`, `CONV_ID__c`. */
function columnKey(name: string): string {
  const bare = withoutEdges(name).toLowerCase()
  return bare === '_id' ? bare : bare.replace(/__c$/, '').replace(/[^\p{L}\d]+/gu, '')
}

const inDoubt = /^(?:ada)?conversation$/
/** In order: the `_id` of a message is not the one of its conversation, and `conversation` may be its text. */
const conversationColumns: readonly RegExp[] = [
  /^(?:ada)?conv(?:ersation)?(?:uu|gu)?id$/,
  inDoubt,
  /^_id$/,
  /^id$/,
]
const otherColumns = /^_?id$/
const endUserColumns = /^(?:enduser(?:id)?|chatter(?:id)?|externalid|e?mail(?:address)?|identifier)$/

/**
 * Which of the names is the column of the IDs: the first by the job's own list, else by what conversations are called.
 * All that are equally good are given. `isId` tells whether a column of that name holds IDs, where its name leaves doubt.
 */
export function idColumnsAmong(
  names: readonly string[],
  idColumns: readonly string[] | undefined,
  isId: (index: number) => boolean,
): number[] {
  const keys = names.map(columnKey)
  const wanted = idColumns?.map((name) => (key: string) => key === columnKey(name))
  const known = wanted ?? conversationColumns.map((form) => (key: string) => form.test(key))
  for (const [rank, isKnown] of known.entries()) {
    const isInDoubt = wanted === undefined && conversationColumns[rank] === inDoubt
    const found = keys.flatMap((key, index) => (isKnown(key) && (!isInDoubt || isId(index)) ? [index] : []))
    if (found.length > 0) return found
  }
  return []
}

/** Whether a name may be that of a column of IDs. */
export function isIdColumn(name: string, idColumns: readonly string[] | undefined): boolean {
  const key = columnKey(name)
  return idColumns === undefined
    ? conversationColumns.some((form) => form.test(key))
    : idColumns.some((one) => columnKey(one) === key)
}

/** Whose IDs a column holds, by its name; `any` for one that is just called ID. */
export function kindOfColumn(name: string): 'conversation' | 'endUser' | 'any' | null {
  const key = columnKey(name)
  if (otherColumns.test(key)) return 'any'
  if (conversationColumns.some((form) => form.test(key))) return 'conversation'
  return endUserColumns.test(key) ? 'endUser' : null
}

/** Whether what a column called `conversation` holds is an ID, and no text. */
export function isLikeAnId(cell: string): boolean {
  const { id, problem } = readConversationId(cell)
  return id !== '' && problem === null && /^(?=.*\d)[\w-]+$/.test(id)
}
