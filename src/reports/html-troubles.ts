import { type SettledItem, type Status, statuses } from '../item.js'

/** Items that need a person, and have their status and reason in common. */
export interface Trouble {
  status: Status
  reason: string
  count: number
  /** How often each message came up, for the first of them. */
  messages: Map<string, number>
  /** Items with a message that is not among these. */
  otherMessages: number
  /** The first of them. */
  ids: string[]
}

const messagesMax = 1000
const idsMax = 3

/** Groups what failed by its reason, and counts the messages that came with it. */
export class Troubles {
  readonly #groups = new Map<string, Trouble>()

  add({ status, reason, message, id }: SettledItem): void {
    if (status !== 'failed' && status !== 'unknown' && status !== 'invalid') return
    const name = `${status} ${reason}`
    let group = this.#groups.get(name)
    if (group === undefined) {
      group = { status, reason, count: 0, messages: new Map(), otherMessages: 0, ids: [] }
      this.#groups.set(name, group)
    }
    group.count += 1
    if (id !== '' && group.ids.length < idsMax) group.ids.push(id)
    if (message === '') return
    const general = id === '' ? message : message.replaceAll(id, '…')
    const times = group.messages.get(general)
    if (times !== undefined || group.messages.size < messagesMax)
      group.messages.set(general, (times ?? 0) + 1)
    else group.otherMessages += 1
  }

  /** By status, the largest first. */
  get groups(): Trouble[] {
    const place = ({ status }: Trouble) => statuses.indexOf(status)
    return [...this.#groups.values()].sort((a, b) => place(a) - place(b) || b.count - a.count)
  }
}
