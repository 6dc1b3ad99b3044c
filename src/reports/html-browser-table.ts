/// <reference lib="dom" />
import { newRow, spacer, withText } from './html-browser-elements.js'
import {
  type Column,
  cellOf,
  found,
  type Order,
  type Row,
  searchedText,
  sort,
  type Texts,
} from './html-browser-rows.js'

/** Runs in the page. The table of items: only the rows that can be seen are in the page. */

const rowHeightPx = 33
/** Rows beside those that can be seen, so that a scroll finds some. */
const spareRows = 8
const printedMax = 500

const byId = <E extends HTMLElement>(id: string) => document.getElementById(id) as E
const parsed = (id: string) => JSON.parse(byId(id).textContent)

export function openTable(): { print(): void; unprint(): void } {
  const rows: Row[] = parsed('row-data')
  const texts: Texts = parsed('row-strings')
  const scroller = byId('scroller')
  const table = byId<HTMLTableElement>('table')
  const body = byId<HTMLTableSectionElement>('rows')
  const search = byId<HTMLInputElement>('search')
  const heads = [...table.tHead!.rows[0]!.cells]
  const columns = heads.map((head) => head.dataset.column as Column)
  const hidden = new Set<number>()
  const searchedTexts: string[] = []
  let order: Order = { column: 'line', isDescending: false }
  let positions: number[] = []
  const above = spacer()
  const below = spacer()
  const pool: HTMLTableRowElement[] = []

  const troubled = ['failed', 'unknown', 'invalid']
  const needsLook = (row: Row) => troubled.includes(texts.statuses[row[1]]!)
  /** The text of a row is made when it is first looked for. */
  const searched = (position: number) => (searchedTexts[position] ??= searchedText(rows[position]!, texts))

  function find(): void {
    positions = found(rows, searched, search.value, (status) => !hidden.has(status))
    sort(positions, rows, order, texts)
    const [shown, all] = [positions.length, rows.length].map((count) => count.toLocaleString('en-US'))
    byId('shown').textContent = `${shown} of ${all} items`
    table.setAttribute('aria-rowcount', String(positions.length + 1))
    scroller.scrollTop = 0
    draw()
  }

  function draw(): void {
    const seen = Math.ceil(scroller.clientHeight / rowHeightPx) + 2 * spareRows
    const count = Math.min(seen, positions.length)
    const wanted = Math.floor(scroller.scrollTop / rowHeightPx) - spareRows
    const first = Math.max(0, Math.min(wanted, positions.length - count))
    while (pool.length < count) pool.push(newRow(columns))
    above.height(first * rowHeightPx)
    below.height((positions.length - first - count) * rowHeightPx)
    for (const [index, element] of pool.entries()) {
      element.hidden = index >= count
      if (index < count) fill(element, first + index)
    }
    if (body.childElementCount !== pool.length + 2) body.replaceChildren(above.row, ...pool, below.row)
  }

  function fill(element: HTMLTableRowElement, index: number): void {
    const row = rows[positions[index]!]!
    element.setAttribute('aria-rowindex', String(index + 2))
    element.dataset.index = String(index)
    for (const [number, column] of columns.entries()) {
      const text = cellOf(row, column, texts)
      const cell = element.cells[number]!
      const holder = column === 'id' ? cell.firstElementChild! : cell
      if (holder.textContent !== text) holder.textContent = text
      if (column === 'id') {
        if (text === '') holder.textContent = '(empty)'
      } else if (column === 'message') cell.title = text
      if (column === 'status') cell.className = `column-status status is-${text}`
    }
  }

  function sortBy(column: Column): void {
    order = { column, isDescending: order.column === column && !order.isDescending }
    showOrder()
    find()
  }

  function showOrder(): void {
    for (const head of heads) {
      if (head.dataset.column !== order.column) head.removeAttribute('aria-sort')
      else head.setAttribute('aria-sort', order.isDescending ? 'descending' : 'ascending')
    }
  }

  function move(event: KeyboardEvent): void {
    const row = (event.target as HTMLElement).closest('tr')
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (row === null || step === undefined || row.dataset.index === undefined) return
    event.preventDefault()
    const index = Math.max(0, Math.min(Number(row.dataset.index) + step, positions.length - 1))
    const top = index * rowHeightPx
    const room = scroller.clientHeight - 3 * rowHeightPx
    if (top < scroller.scrollTop) scroller.scrollTop = top
    if (top > scroller.scrollTop + room) scroller.scrollTop = top - room
    draw()
    body.querySelector<HTMLElement>(`tr[data-index="${index}"] button`)?.focus({ preventScroll: true })
  }

  function showItem(event: Event): void {
    const button = (event.target as HTMLElement).closest('button')
    const index = button?.closest('tr')?.dataset.index
    if (index === undefined) return
    const row = rows[positions[Number(index)]!]!
    byId('item-id').textContent = row[0] || '(empty)'
    byId('item')
      .querySelector('dl')!
      .replaceChildren(
        ...heads.slice(1).flatMap((head, number) => {
          const text = cellOf(row, columns[number + 1]!, texts)
          return text === '' ? [] : [withText('dt', head.textContent), withText('dd', text)]
        }),
      )
    byId<HTMLDialogElement>('item').showModal()
  }

  for (const [index, head] of heads.entries()) {
    head.querySelector('button')!.addEventListener('click', () => sortBy(columns[index]!))
  }
  for (const [status, name] of texts.statuses.entries()) {
    const count = rows.reduce((sum, row) => sum + (row[1] === status ? 1 : 0), 0)
    if (count === 0) continue
    const box = document.createElement('input')
    box.type = 'checkbox'
    box.checked = true
    box.addEventListener('change', () => {
      if (box.checked) hidden.delete(status)
      else hidden.add(status)
      find()
    })
    const label = document.createElement('label')
    const word = withText('span', `${name} ${count.toLocaleString('en-US')}`)
    word.className = `status is-${name}`
    label.append(box, word)
    byId('filter').append(label)
  }
  for (const button of document.querySelectorAll<HTMLButtonElement>('button.show')) {
    button.hidden = false
    button.addEventListener('click', () => {
      search.value = button.dataset.search!
      find()
      byId('items').scrollIntoView()
      search.focus({ preventScroll: true })
    })
  }
  search.addEventListener('input', find)
  scroller.addEventListener('scroll', draw)
  body.addEventListener('keydown', move)
  body.addEventListener('click', showItem)
  byId('viewer').hidden = false
  new ResizeObserver(draw).observe(scroller)
  showOrder()
  find()

  return {
    /** On paper stand the first of the rows that are shown; where none were chosen, of those that need a look. */
    print() {
      const isChosen = search.value !== '' || hidden.size > 0
      const printable = isChosen ? positions : positions.filter((position) => needsLook(rows[position]!))
      const printed = printable.slice(0, printedMax).map((position) => {
        const element = newRow(columns)
        for (const [number, column] of columns.entries())
          element.cells[number]!.textContent = cellOf(rows[position]!, column, texts)
        return element
      })
      const paper = document.createElement('table')
      const line = paper.createTHead().insertRow()
      line.append(...heads.map((head) => withText('th', head.textContent)))
      paper.createTBody().append(...printed)
      const rest = printable.length - printed.length
      const more = rest === 0 ? '' : ` ${rest.toLocaleString('en-US')} more of them are not printed.`
      const what = isChosen ? 'The items that were chosen.' : 'The items that failed, are unknown or invalid.'
      const note = withText('p', `${what}${more} All items stand in report.csv.`)
      byId('printed').replaceChildren(note, ...(printed.length === 0 ? [] : [paper]))
    },
    unprint: () => byId('printed').replaceChildren(),
  }
}
