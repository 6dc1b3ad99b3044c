/** Text that is markup already. Only `markup` makes it. */
class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type { Markup }

export type Piece = Markup | string | number | null | readonly Piece[]

/** Makes markup of a template; whatever is put into it is shown as text, unless it is markup itself. */
export function markup(strings: TemplateStringsArray, ...pieces: Piece[]): Markup {
  const texts = pieces.map((piece, index) => textOf(piece) + strings[index + 1]!)
  return new Markup(strings[0]! + texts.join(''))
}

/** A block of JSON that the page's script reads. No text in it can end the block. */
export function jsonBlock(id: string, json: string): Markup {
  return new Markup(
    `<script type="application/json" id="${id}">${json.replaceAll('<', '\\u003c')}</script>\n`,
  )
}

/** What a block of the page holds that is ours: a script or a style. */
export function block(element: 'script' | 'style', attributes: string, text: string): Markup {
  if (text.toLowerCase().includes(`</${element}`)) throw new Error(`A block holds </${element}`)
  return new Markup(`<${element}${attributes}>${text}</${element}>\n`)
}

/** Text from outside, which may be written from right to left. */
export function outside(text: string): Markup {
  return markup`<bdi>${text}</bdi>`
}

function textOf(piece: Piece): string {
  if (piece instanceof Markup) return piece.text
  if (piece === null) return ''
  if (typeof piece === 'object') return piece.map(textOf).join('')
  return String(piece).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}
