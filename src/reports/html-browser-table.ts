/// <reference lib="dom" />
import { type Status, statuses } from '../item.js'
import { inDigits } from '../system/text.js'
import type { Row } from './html-figures.js'
import type { PageModel } from './html-model.js'
import { isFailure, type Markup, markup, spanText } from './html-words.js'

/** Runs in the page. The table of items: only the rows that can be seen are in the page. */

type Item = ReturnType<typeof itemOf>

interface Column {
  name: string
  title: string
  text(item: Item): string
  /** What the rows are sorted by, if not by the text. */
  key?(item: Item): number
}

const columns: Column[] = [
  { name: 'id', title: 'ID', text: ({ id }) => id },
  {
    name: 'status',
    title: 'Status',
    text: ({ status }) => status,
    key: (item) => statuses.indexOf(item.status),
  },
  { name: 'reason', title: 'Reason', text: ({ reason }) => reason },
  { name: 'http', title: 'HTTP', text: ({ http }) => String(http ?? ''), key: ({ http }) => http ?? 0 },
  { name: 'calls', title: 'Calls', text: ({ calls }) => String(calls), key: ({ calls }) => calls },
  { name: 'settled', title: 'Settled at (UTC)', text: settledText, key: ({ settledMs }) => settledMs },
  { name: 'took', title: 'Took', text: tookText, key: ({ tookMs }) => tookMs },
  { name: 'message', title: 'Message', text: ({ message }) => message },
  { name: 'line', title: 'Line', text: lineText, key: ({ position }) => position },
]

const rowHeightPx = 33
/** Rows above and below those that can be seen, for a scroll to find. */
const spareRows = 8
const printedMax = 500

/** Adds the section of the items to the page. Returns what prints them, and clears that again. */
export function openTable({ table, totals }: PageModel, rows: readonly Row[], main: Element) {
  const items = rows.map((row, position) => itemOf(row, position, table))
  main.insertAdjacentHTML('beforeend', sectionOf(items, table, totals.read - totals.left).text)
  const [scroller, body, filter] = [byId('scroller'), byId('rows'), byId('filter')]
  const search = byId<HTMLInputElement>('search')
  const heads = [...document.querySelectorAll<HTMLTableCellElement>('#table th')]
  let hidden: string[] = []
  let sorted = { column: columns.at(-1)!, isDescending: false }
  let found: Item[] = []

  function find(): void {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean)
    hidden = [...filter.querySelectorAll<HTMLInputElement>('input:not(:checked)')].map(({ value }) => value)
    const { text, key = text } = sorted.column
    const way = sorted.isDescending ? -1 : 1
    found = items
      .filter(
        (item) => !hidden.includes(item.status) && words.every((word) => searchedText(item).includes(word)),
      )
      .map((item) => ({ item, key: key(item) }))
      .sort((a, b) => (a.key < b.key ? -way : a.key > b.key ? way : a.item.position - b.item.position))
      .map(({ item }) => item)
    for (const [index, head] of heads.entries()) {
      head.removeAttribute('aria-sort')
      if (columns[index] !== sorted.column) continue
      head.setAttribute('aria-sort', sorted.isDescending ? 'descending' : 'ascending')
    }
    byId('shown').textContent = `${inDigits(found.length)} of ${inDigits(items.length)} items`
    byId('table').setAttribute('aria-rowcount', String(found.length + 1))
    scroller.scrollTop = 0
    draw()
  }

  /** Draws the rows in sight; the focus stays on its item, or goes to that of another index. */
  function draw(focus = document.activeElement?.closest<HTMLElement>('#rows tr')?.dataset.index): void {
    const count = Math.min(Math.ceil(scroller.clientHeight / rowHeightPx) + 2 * spareRows, found.length)
    const wanted = Math.floor(scroller.scrollTop / rowHeightPx) - spareRows
    const first = Math.max(0, Math.min(wanted, found.length - count))
    const inSight = found.slice(first, first + count)
    const rest = found.length - first - count
    body.innerHTML =
      markup`${spacer(first)}${inSight.map((item, index) => rowOf(item, first + index))}${spacer(rest)}`.text
    if (focus === undefined) return
    const focused = body.querySelector<HTMLElement>(`tr[data-index="${focus}"] button`) ?? scroller
    focused.focus({ preventScroll: true })
  }

  function move(event: KeyboardEvent): void {
    const index = indexOf(event)
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (index === undefined || step === undefined) return
    event.preventDefault()
    const next = Math.max(0, Math.min(index + step, found.length - 1))
    const room = scroller.clientHeight - 3 * rowHeightPx
    const top = next * rowHeightPx
    scroller.scrollTop = Math.max(top - room, Math.min(top, scroller.scrollTop))
    draw(String(next))
  }

  function showItem(event: Event): void {
    const index = indexOf(event)
    if (index === undefined || (event.target as HTMLElement).closest('button') === null) return
    const item = found[index]!
    const texts = columns.slice(1).map(({ title, text }) => ({ title, text: text(item) }))
    byId('item-id').textContent = item.id || '(empty)'
    byId('item').querySelector('dl')!.innerHTML = texts
      .map(({ title, text }) => (text === '' ? '' : markup`<dt>${title}</dt><dd>${text}</dd>`.text))
      .join('')
    byId<HTMLDialogElement>('item').showModal()
  }

  for (const [index, column] of columns.entries()) {
    heads[index]!.addEventListener('click', () => {
      sorted = { column, isDescending: sorted.column === column && !sorted.isDescending }
      find()
    })
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
  filter.addEventListener('change', find)
  scroller.addEventListener('scroll', () => draw())
  body.addEventListener('keydown', move)
  body.addEventListener('click', showItem)
  new ResizeObserver(() => draw()).observe(scroller)
  find()

  /** Prints the first rows that are shown; without a choice, the first that need a look. */
  return function print(isPaper: boolean): void {
    const isChosen = search.value !== '' || hidden.length > 0
    const printable = isChosen ? found : found.filter(({ status }) => isFailure(status))
    const rest = printable.length - printedMax
    const what = isChosen ? 'The chosen items.' : 'The items that failed, are unknown or invalid.'
    const more = rest > 0 ? ` ${inDigits(rest)} more are not printed.` : ''
    const head = columns.map(({ title }) => markup`<th>${title}</th>`)
    const printed = printable.slice(0, printedMax).map((item, index) => rowOf(item, index))
    const paper = markup`<table><thead><tr>${head}</tr></thead><tbody>${printed}</tbody></table>`
    byId('printed').innerHTML = isPaper
      ? markup`<p>${what}${more} report.csv has every item.</p>${printed.length === 0 ? '' : paper}`.text
      : ''
  }
}

function sectionOf(
  items: readonly Item[],
  { isCut, failuresLeftOut }: PageModel['table'],
  settled: number,
): Markup {
  const first = failuresLeftOut > 0 ? `, the first ${inDigits(items.length)} of them` : ''
  const box = (status: Status) => {
    const count = items.filter((item) => item.status === status).length
    return count === 0
      ? ''
      : markup`<label><input type="checkbox" value="${status}" checked><span class="status is-${status}">${status} ${inDigits(count)}</span></label>`
  }
  return markup`<section aria-labelledby="items" id="items-section">
<h2 id="items">Items</h2>
${isCut ? markup`<p>${inDigits(settled)} items are too many for a page: these are the ones that failed, are unknown or invalid${first}. <code>report.csv</code> has every item.</p>` : ''}
<div id="viewer">
<div class="tools">
<label>Search <input type="search" id="search" autocomplete="off" spellcheck="false" placeholder="ID, reason, message, file"></label>
<fieldset id="filter"><legend>Show</legend>${statuses.map(box)}</fieldset>
<output id="shown" aria-live="polite"></output>
</div>
<div id="scroller" tabindex="0" role="region" aria-label="Items; arrow keys scroll">
<table id="table" aria-labelledby="items">
<thead><tr>${columns.map(({ name, title }) => markup`<th scope="col" class="column-${name}"><button type="button">${title}</button></th>`)}</tr></thead>
<tbody id="rows"></tbody>
</table>
</div>
<p class="note">Click an ID for all that is known of it, a head to sort.</p>
</div>
<div id="printed"></div>
<dialog id="item" aria-labelledby="item-id"><form method="dialog"><h3 id="item-id"></h3><dl></dl><button>Close</button></form></dialog>
</section>
`
}

function rowOf(item: Item, index: number): Markup {
  const cells = columns.map(({ name, text }) => {
    if (name === 'id')
      return markup`<td class="column-id"><button type="button">${item.id || '(empty)'}</button></td>`
    if (name === 'status')
      return markup`<td class="column-status status is-${item.status}">${item.status}</td>`
    const title = name === 'message' ? markup` title="${item.message}"` : ''
    return markup`<td class="column-${name}"${title}>${text(item)}</td>`
  })
  return markup`<tr data-index="${index}" aria-rowindex="${index + 2}">${cells}</tr>`
}

/** Takes the room of rows that are not in the page. */
function spacer(rows: number): Markup | null {
  return rows === 0
    ? null
    : markup`<tr aria-hidden="true" height="${rows * rowHeightPx}"><td class="spacer"></td></tr>`
}

function itemOf(row: Row, position: number, { baseMs, strings }: PageModel['table']) {
  const [id, status, reason, http, calls, settled, tookMs, message, source, line] = row
  const texts = { reason: strings[reason]!, message: strings[message]!, source: strings[source]! }
  const settledMs = baseMs + settled
  return {
    position,
    id,
    status: statuses[status]!,
    http,
    calls,
    settledMs,
    tookMs,
    line,
    ...texts,
    searched: '',
  }
}

/** What a search looks through, made when the item is first searched. */
function searchedText(item: Item): string {
  const { id, status, reason, http, message, source, line } = item
  item.searched ||= [id, status, reason, http, message, source, line].join('\n').toLowerCase()
  return item.searched
}

function settledText({ settledMs }: Item): string {
  return new Date(settledMs).toISOString().slice(0, 19).replace('T', ' ')
}

function tookText({ calls, tookMs }: Item): string {
  return calls === 0 ? '' : spanText(tookMs)
}

function lineText({ line, source }: Item): string {
  return `${line} in ${source.replace(/^.*[/\\]/, '')}`
}

function byId<E extends HTMLElement>(id: string): E {
  return document.getElementById(id) as E
}

function indexOf({ target }: Event): number | undefined {
  const index = (target as HTMLElement).closest('tr')?.dataset.index
  return index === undefined ? undefined : Number(index)
}
