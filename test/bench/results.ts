/** What one part of the benchmark found. */
export interface Table {
  title: string
  /** Above the table: what was measured, and how. */
  note: string
  head: readonly string[]
  rows: readonly (readonly string[])[]
}

export function asMarkdown({ title, note, head, rows }: Table): string {
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
  return `**${title}.** ${note}\n\n${lines.join('\n')}\n`
}

/** The text with these results between the two markers of that name; what stands there now goes. */
export function withResults(text: string, results: string, name = 'results'): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  if (from === -1 || to < from) throw new Error(`There is no ${begin} with ${end} behind it.`)
  return `${text.slice(0, from + begin.length)}\n${results.trim()}\n${text.slice(to)}`
}

/** With three digits that count, and the thousands apart. */
export function figure(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(value < 1 ? 2 : 3)))
}

export function seconds(ms: number): string {
  return `${figure(ms / 1000)} s`
}

export function megabytes(size: number | null): string {
  return size === null ? 'n/a' : `${figure(size)} MB`
}
