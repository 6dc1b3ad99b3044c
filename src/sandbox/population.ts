import { Timeline } from './timeline.js'

/** A conversation that the export knows. What else its record says is made up from its ID. */
export interface ListedConversation {
  readonly id: string
  readonly createdAtMs: number
  updatedAtMs: number
  /** When its messages were written, the first by the end user. */
  readonly messagesAtMs: number[]
  /** Stand in its record instead of what is made up; undefined leaves a field out. */
  fields: Readonly<Record<string, unknown>>
}

export interface ListedMessage {
  readonly id: string
  readonly atMs: number
  /** 0 for the first of its conversation. */
  readonly nth: number
  readonly conversation: ListedConversation
}

/** The conversations that come out of the export, with their messages, each in the order of its dates. */
export class Population {
  readonly byCreated = new Timeline<ListedConversation>(({ createdAtMs }) => createdAtMs)
  readonly byUpdated = new Timeline<ListedConversation>(({ updatedAtMs }) => updatedAtMs)
  private readonly byId = new Map<string, ListedConversation>()
  /** Null until somebody asks: most never do, and they take memory. */
  private messagesByCreated: Timeline<ListedMessage> | null = null

  get size(): number {
    return this.byId.size
  }

  get(id: string): ListedConversation | undefined {
    return this.byId.get(id)
  }

  add(conversation: ListedConversation): void {
    const { id } = conversation
    if (this.byId.has(id)) throw new Error(`Conversation ${id} is listed already`)
    this.byId.set(id, conversation)
    this.byCreated.add(conversation)
    this.byUpdated.add(conversation)
    this.messagesByCreated = null
  }

  /** The end user writes again. */
  write(conversation: ListedConversation, atMs: number): void {
    conversation.messagesAtMs.push(atMs)
    this.messagesByCreated = null
    this.update(conversation, atMs)
  }

  update(conversation: ListedConversation, atMs: number): void {
    conversation.updatedAtMs = atMs
    this.byUpdated.moved()
  }

  get messages(): Timeline<ListedMessage> {
    if (this.messagesByCreated) return this.messagesByCreated
    const messages = new Timeline<ListedMessage>(({ atMs }) => atMs)
    for (const conversation of this.byId.values()) {
      for (const [nth, atMs] of conversation.messagesAtMs.entries()) {
        messages.add({ id: `${conversation.id}-${nth}`, atMs, nth, conversation })
      }
    }
    this.messagesByCreated = messages
    return messages
  }
}
