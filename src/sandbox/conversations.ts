import { Population } from './population.js'

/** What is special about a conversation. Every other ID is an active chat. */
type Special =
  /** There is no such conversation: 404. */
  | 'missing'
  /** Was ended before the sandbox started. */
  | 'ended'
  /** Answers 503 twice and then works. */
  | 'unavailable_twice'
  /** Is ended, but the first answer gets lost on the way. */
  | 'answer_lost'
  /** Is a phone call, which cannot be ended: 422. */
  | 'voice'
  /** Always answers 500. */
  | 'broken'
  /** A person has taken it over, until `end-handoff`. */
  | 'handed_off'

/** All but the last also stand in samples/conversations.csv. The last digits recall the status codes. */
const specials: Readonly<Record<string, Special>> = {
  '66f2a91c4be07d3f5c1e0404': 'missing',
  '66f2a91c4be07d3f5c1e0400': 'ended',
  '66f2a91c4be07d3f5c1e0503': 'unavailable_twice',
  '66f2a91c4be07d3f5c1e0000': 'answer_lost',
  '66f2a91c4be07d3f5c1e0422': 'voice',
  '66f2a91c4be07d3f5c1e0500': 'broken',
  '66f2a91c4be07d3f5c1e0200': 'handed_off',
}

export type EndResult = 'ended' | 'ended_but_answer_lost' | 'already_ended' | 'not_endable'

export interface NewConversation {
  id: string
  createdAtMs: number
  /** Default: the moment of its creation. */
  updatedAtMs?: number
  /** Was ended before it was added. */
  isEnded?: boolean
  /** A person has taken it over. */
  isHandedOff?: boolean
  /** What its record in the export is to say, such as `{ language: 'fr' }`; undefined leaves a field out. */
  fields?: Readonly<Record<string, unknown>>
}

export interface ConversationsOptions {
  /** An ID that was not added does not exist. Otherwise any ID exists. */
  onlyListed: boolean
  /** Whether the date of the last update moves when a conversation is ended. What the real Ada does is not known. */
  endingUpdates: boolean
}

/** The conversations of the sandbox. Any ID exists, so a run over a million IDs needs no preparation. */
export class Conversations {
  /** Ends of conversations and of handoffs so far. */
  changes = 0
  /** What the export knows of: those that were added. */
  readonly listed = new Population()
  private readonly ended = new Set<string>(idsThatAre('ended'))
  private readonly handedOff = new Set<string>(idsThatAre('handed_off'))
  private readonly refusalsLeft = new Map(idsThatAre('unavailable_twice').map((id) => [id, 2]))

  constructor(private readonly options: ConversationsOptions) {}

  add(conversation: NewConversation): void {
    const { id, createdAtMs, updatedAtMs = createdAtMs, fields = {} } = conversation
    this.listed.add({ id, createdAtMs, updatedAtMs, messagesAtMs: [createdAtMs, updatedAtMs], fields })
    if (conversation.isEnded) this.ended.add(id)
    if (conversation.isHandedOff) this.handOff(id)
  }

  /** A customer comes back to an active conversation that was added. */
  touch(id: string, atMs: number): void {
    const conversation = this.listed.get(id)
    if (!conversation) throw new Error(`Conversation ${id} was not added`)
    if (this.isEnded(id)) throw new Error(`Conversation ${id} is ended: a new message opens a new one`)
    this.listed.write(conversation, atMs)
  }

  exists(id: string): boolean {
    if (this.options.onlyListed && !this.listed.get(id)) return false
    return specials[id] !== 'missing'
  }

  /** Whether this conversation itself makes the API fail now, whatever is asked of it; counts as one call. */
  failure(id: string): 'broken' | 'unavailable' | null {
    if (specials[id] === 'broken') return 'broken'
    const left = this.refusalsLeft.get(id) ?? 0
    if (left === 0) return null
    this.refusalsLeft.set(id, left - 1)
    return 'unavailable'
  }

  end(id: string, nowMs: number): EndResult {
    if (this.isVoice(id)) return 'not_endable'
    if (this.ended.has(id)) return 'already_ended'
    this.changes += 1
    this.ended.add(id)
    this.handedOff.delete(id)
    const conversation = this.listed.get(id)
    if (conversation && this.options.endingUpdates) this.listed.update(conversation, nowMs)
    return specials[id] === 'answer_lost' ? 'ended_but_answer_lost' : 'ended'
  }

  isEnded(id: string): boolean {
    return this.ended.has(id)
  }

  /** Lets a person take the conversation over. */
  handOff(id: string): void {
    this.handedOff.add(id)
    const conversation = this.listed.get(id)
    if (conversation) conversation.fields = { ...conversation.fields, is_escalated: true }
  }

  /** Says whether there was a handoff to end. */
  endHandoff(id: string): boolean {
    const hadHandoff = this.handedOff.delete(id)
    if (hadHandoff) this.changes += 1
    return hadHandoff
  }

  isVoice(id: string): boolean {
    return specials[id] === 'voice'
  }
}

function idsThatAre(special: Special): string[] {
  return Object.keys(specials).filter((id) => specials[id] === special)
}
