import type { Dice } from './dice.js'

/** One row of an input: what stands in its ID column. */
export type Row = string

/** They behave specially in the sandbox, each in its own way. */
const specials = ['0404', '0400', '0503', '0000', '0422', '0500'].map((end) => `66f2a91c4be07d3f5c1e${end}`)

const unusable = ['', 'a/b', '..', 'x'.repeat(201)]

export function someRows(dice: Dice, count: number): Row[] {
  const rows = Array.from({ length: count }, () => newId(dice))
  for (const row of rows.keys()) {
    const draw = dice.roll()
    if (draw < 0.04) rows[row] = dice.one(specials)
    else if (draw < 0.07) rows[row] = dice.one(unusable)
    else if (draw < 0.12) rows[row] = dice.one(rows)
  }
  return rows
}

/** Somebody has edited the list: rows are gone, new, and at other places. */
export function edited(dice: Dice, rows: readonly Row[]): Row[] {
  const kept = rows.filter(() => dice.often(0.85))
  for (let added = dice.between(0, 4); added > 0; added--) {
    kept.splice(dice.between(0, kept.length), 0, newId(dice))
  }
  return dice.often(0.3) ? kept.reverse() : kept
}

export function csvOf(rows: readonly Row[]): string {
  return `conversation_id,language\n${rows.map((id) => `${id},en\n`).join('')}`
}

/** What a row of an input must come to. */
export type Fate = 'called' | 'filtered' | 'duplicate' | 'invalid'

export function fatesOf(rows: readonly Row[], held: ReadonlySet<string>): Fate[] {
  const seen = new Set<string>()
  return rows.map((id) => {
    if (unusable.includes(id)) return 'invalid'
    if (seen.has(id)) return 'duplicate'
    seen.add(id)
    return held.has(id) ? 'filtered' : 'called'
  })
}

/** Whether the sandbox does with it what it does with any conversation. */
export function isPlain(id: string): boolean {
  return !specials.includes(id)
}

function newId(dice: Dice): string {
  return Array.from({ length: 24 }, () => dice.between(0, 15).toString(16)).join('')
}
