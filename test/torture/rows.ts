import type { Prng } from './prng.js'

/** One row of an input: what stands in its ID column. */
export type Row = string

/** They behave specially in the sandbox, each in its own way. */
const specials = ['0404', '0400', '0503', '0000', '0422', '0500'].map((end) => `66f2a91c4be07d3f5c1e${end}`)

const unusable = ['', 'a/b', '..', 'x'.repeat(201)]

export function someRows(prng: Prng, count: number): Row[] {
  const rows = Array.from({ length: count }, () => newId(prng))
  for (const row of rows.keys()) {
    const draw = prng.roll()
    if (draw < 0.04) rows[row] = prng.one(specials)
    else if (draw < 0.07) rows[row] = prng.one(unusable)
    else if (draw < 0.12) rows[row] = prng.one(rows)
  }
  return rows
}

/** Somebody has edited the list: rows are gone, new, and at other places. */
export function edited(prng: Prng, rows: readonly Row[]): Row[] {
  const kept = rows.filter(() => prng.often(0.85))
  for (let added = prng.between(0, 4); added > 0; added--) {
    kept.splice(prng.between(0, kept.length), 0, newId(prng))
  }
  return prng.often(0.3) ? kept.reverse() : kept
}

export function csvOf(rows: readonly Row[]): string {
  return `conversation_id,language\n${rows.map((id) => `${id},en\n`).join('')}`
}

/** What a row of an input must come to. */
export type Expected = 'called' | 'filtered' | 'duplicate' | 'invalid'

export function expectedOf(rows: readonly Row[], held: ReadonlySet<string>): Expected[] {
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

function newId(prng: Prng): string {
  return Array.from({ length: 24 }, () => prng.between(0, 15).toString(16)).join('')
}
