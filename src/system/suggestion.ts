/** What was probably meant by a mistyped word: the known one that begins with it, else the one that differs least. */
export function suggestion(word: string, known: readonly string[]): string | null {
  const typed = word.toLowerCase()
  const begun = known.find((one) => typed.length >= 3 && one.toLowerCase().startsWith(typed))
  if (begun !== undefined) return begun
  const [nearest] = known
    .map((one) => ({ one, distance: distance(typed, one.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
  const most = Math.min(4, Math.ceil(typed.length / 2.5))
  return nearest !== undefined && nearest.distance <= most ? nearest.one : null
}

/** Levenshtein distance: how many letters to add, drop or change. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min(row[j]! + (letter === b[j] ? 0 : 1), row[j + 1]! + 1, next[j]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
