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

/** The conversations of the sandbox. Any ID exists, so a run over a million IDs needs no preparation. */
export class Conversations {
  /** Ends of conversations and of handoffs so far. */
  changes = 0
  private readonly ended = new Set<string>(idsThatAre('ended'))
  private readonly handedOff = new Set<string>(idsThatAre('handed_off'))
  private readonly refusalsLeft = new Map(idsThatAre('unavailable_twice').map((id) => [id, 2]))

  exists(id: string): boolean {
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

  end(id: string): EndResult {
    if (this.isVoice(id)) return 'not_endable'
    if (this.ended.has(id)) return 'already_ended'
    this.changes += 1
    this.ended.add(id)
    this.handedOff.delete(id)
    return specials[id] === 'answer_lost' ? 'ended_but_answer_lost' : 'ended'
  }

  isEnded(id: string): boolean {
    return this.ended.has(id)
  }

  /** Lets a person take the conversation over. */
  handOff(id: string): void {
    this.handedOff.add(id)
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
