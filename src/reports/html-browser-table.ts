/// <reference lib="dom" />
import { type Status, statuses } from '../item.js'
import { inDigits } from '../system/text.js'
import { isFailure, type Row } from './html-figures.js'
import type { PageModel } from './html-model.js'
import { type Markup, markup, spanText } from './html-words.js'

/** Runs in the page. The table of items: only the rows that can be seen are in the page. */

interface Item {
  position: number
  id: string
  status: Status
  reason: string
  http: number | null
  calls: number
  settledMs: number
  tookMs: number
  message: string
  source: string
  line: number
  /** What a search looks through, made when it is first searched. */
  searched?: string
}

/** By name: the head, the text of a cell, and what the rows are sorted by, if not by the text. */
const columns: Record<string, [string, (item: Item) => string, ((item: Item) => number)?]> = {
  id: ['ID', ({ id }) => id],
  status: ['Status', ({ status }) => status, ({ status }) => statuses.indexOf(status)],
  reason: ['Reason', ({ reason }) => reason],
  http: ['HTTP', ({ http }) => String(http ?? ''), ({ http }) => http ?? 0],
  attempts: ['Calls', ({ calls }) => String(calls), ({ calls }) => calls],
  finished: ['Settled at (UTC)', ({ settledMs }) => settledText(settledMs), ({ settledMs }) => settledMs],
  took: ['Took', ({ calls, tookMs }) => (calls === 0 ? '' : spanText(tookMs)), ({ tookMs }) => tookMs],
  message: ['Message', ({ message }) => message],
  line: ['Line', lineText, ({ position }) => position],
}
const names = Object.keys(columns)

const rowHeightPx = 33
/** Rows above and below those that can be seen, for a scroll to find. */
const spareRows = 8
const printedMax = 500

export function itemsSection({ table, totals }: PageModel): Markup {
  const first = table.failuresLeftOut > 0 ? ', the first 100,000 of them' : ''
  return markup`<section aria-labelledby="items" id="items-section">
<h2 id="items">Items</h2>
${table.isCut ? markup`<p>${inDigits(totals.read - totals.left)} items are too many for a page: these are the ones that failed, are unknown or invalid${first}. <code>report.csv</code> has every item.</p>` : ''}
<div id="viewer">
<div class="tools">
<label>Search <input type="search" id="search" autocomplete="off" spellcheck="false" placeholder="ID, reason, message, file"></label>
<fieldset id="filter"><legend>Show</legend></fieldset>
<output id="shown" aria-live="polite"></output>
</div>
<div id="scroller" tabindex="0" role="region" aria-label="Items; arrow keys scroll">
<table id="table" aria-labelledby="items">
<thead><tr>${names.map((name) => markup`<th scope="col" class="column-${name}"><button type="button">${columns[name]![0]}</button></th>`)}</tr></thead>
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

const byId = <E extends HTMLElement>(id: string) => document.getElementById(id) as E

export function openTable({ baseMs, strings }: PageModel['table'], rows: readonly Row[]) {
  const items = rows.map((row, position): Item => {
    const [id, status, reason, http, calls, settled, tookMs, message, source, line] = row
    const texts = { reason: strings[reason]!, message: strings[message]!, source: strings[source]! }
    return {
      position,
      id,
      status: statuses[status]!,
      http,
      calls,
      settledMs: baseMs + settled,
      tookMs,
      line,
      ...texts,
    }
  })
  const [scroller, table, body] = [byId('scroller'), byId<HTMLTableElement>('table'), byId('rows')]
  const search = byId<HTMLInputElement>('search')
  const heads = [...table.tHead!.rows[0]!.cells]
  const hidden = new Set<Status>()
  const order = { name: 'line', isDescending: false }
  const [above, below] = [spacer(), spacer()]
  const pool: HTMLTableRowElement[] = []
  let found: Item[] = []

  function find(): void {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean)
    const [, text, key = text] = columns[order.name]!
    const way = order.isDescending ? -1 : 1
    found = items
      .filter((item) => !hidden.has(item.status) && words.every((word) => searchedText(item).includes(word)))
      .map((item) => ({ item, key: key(item) }))
      .sort((a, b) => (a.key < b.key ? -way : a.key > b.key ? way : a.item.position - b.item.position))
      .map(({ item }) => item)
    for (const [index, head] of heads.entries()) {
      if (names[index] !== order.name) head.removeAttribute('aria-sort')
      else head.setAttribute('aria-sort', order.isDescending ? 'descending' : 'ascending')
    }
    byId('shown').textContent = `${inDigits(found.length)} of ${inDigits(items.length)} items`
    table.setAttribute('aria-rowcount', String(found.length + 1))
    scroller.scrollTop = 0
    draw()
  }

  function draw(): void {
    const count = Math.min(Math.ceil(scroller.clientHeight / rowHeightPx) + 2 * spareRows, found.length)
    const wanted = Math.floor(scroller.scrollTop / rowHeightPx) - spareRows
    const first = Math.max(0, Math.min(wanted, found.length - count))
    while (pool.length < count) pool.push(emptyRow())
    setHeight(above, first * rowHeightPx)
    setHeight(below, (found.length - first - count) * rowHeightPx)
    for (const [index, row] of pool.entries()) {
      row.hidden = index >= count
      if (index < count) fill(row, first + index)
    }
    if (body.childElementCount !== pool.length + 2) body.replaceChildren(above, ...pool, below)
  }

  function fill(row: HTMLTableRowElement, index: number): void {
    const item = found[index]!
    row.setAttribute('aria-rowindex', String(index + 2))
    row.dataset.index = String(index)
    for (const [number, name] of names.entries()) {
      const text = columns[name]![1](item)
      const cell = row.cells[number]!
      if (name === 'id') cell.firstElementChild!.textContent = text || '(empty)'
      else if (cell.textContent !== text) cell.textContent = text
      if (name === 'message') cell.title = text
      if (name === 'status') cell.className = `column-status status is-${text}`
    }
  }

  function move(event: KeyboardEvent): void {
    const row = (event.target as HTMLElement).closest('tr')
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (row?.dataset.index === undefined || step === undefined) return
    event.preventDefault()
    const index = Math.max(0, Math.min(Number(row.dataset.index) + step, found.length - 1))
    const top = index * rowHeightPx
    const room = scroller.clientHeight - 3 * rowHeightPx
    scroller.scrollTop = Math.max(top - room, Math.min(top, scroller.scrollTop))
    draw()
    body.querySelector<HTMLElement>(`tr[data-index="${index}"] button`)?.focus({ preventScroll: true })
  }

  function showItem(event: Event): void {
    const index = (event.target as HTMLElement).closest('button')?.closest('tr')?.dataset.index
    if (index === undefined) return
    const item = found[Number(index)]!
    const texts = names.slice(1).map((name) => [columns[name]![0], columns[name]![1](item)])
    byId('item-id').textContent = item.id || '(empty)'
    const list = texts
      .filter(([, text]) => text !== '')
      .map(([title, text]) => markup`<dt>${title!}</dt><dd>${text!}</dd>`)
    byId('item').querySelector('dl')!.innerHTML = markup`${list}`.text
    byId<HTMLDialogElement>('item').showModal()
  }

  /** Prints the first rows that are shown; without a choice, the first that need a look. */
  function print(): void {
    const isChosen = search.value !== '' || hidden.size > 0
    const printable = isChosen ? found : found.filter(({ status }) => isFailure(status))
    const rest = printable.length - printedMax
    const what = isChosen ? 'The chosen items.' : 'The items that failed, are unknown or invalid.'
    const more = rest > 0 ? ` ${inDigits(rest)} more are not printed.` : ''
    const cells = (item: Item) =>
      names.map((name) => markup`<td class="column-${name}">${columns[name]![1](item)}</td>`)
    byId('printed').innerHTML = markup`<p>${what}${more} report.csv has every item.</p>${
      printable.length === 0
        ? ''
        : markup`<table><thead><tr>${names.map((name) => markup`<th>${columns[name]![0]}</th>`)}</tr></thead><tbody>${printable.slice(0, printedMax).map((item) => markup`<tr>${cells(item)}</tr>`)}</tbody></table>`
    }`.text
  }

  for (const [index, head] of heads.entries()) {
    head.querySelector('button')!.addEventListener('click', () => {
      const name = names[index]!
      order.isDescending = order.name === name && !order.isDescending
      order.name = name
      find()
    })
  }
  for (const status of statuses) {
    const count = items.filter((item) => item.status === status).length
    if (count === 0) continue
    byId('filter').insertAdjacentHTML(
      'beforeend',
      markup`<label><input type="checkbox" checked><span class="status is-${status}">${status} ${inDigits(count)}</span></label>`
        .text,
    )
    byId('filter').lastElementChild!.addEventListener('change', ({ target }) => {
      if ((target as HTMLInputElement).checked) hidden.delete(status)
      else hidden.add(status)
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
  scroller.addEventListener('scroll', draw)
  body.addEventListener('keydown', move)
  body.addEventListener('click', showItem)
  new ResizeObserver(draw).observe(scroller)
  find()
  return { print, unprint: () => byId('printed').replaceChildren() }
}

/** Takes the room of rows that are not in the page. */
function spacer(): HTMLTableRowElement {
  const row = document.createElement('tr')
  row.setAttribute('aria-hidden', 'true')
  row.insertCell().className = 'spacer'
  return row
}

function setHeight(spacer: HTMLTableRowElement, px: number): void {
  spacer.cells[0]!.style.height = `${px}px`
  spacer.hidden = px === 0
}

function emptyRow(): HTMLTableRowElement {
  const row = document.createElement('tr')
  row.innerHTML =
    markup`${names.map((name) => markup`<td class="column-${name}">${name === 'id' ? markup`<button></button>` : ''}</td>`)}`.text
  return row
}

function searchedText(item: Item): string {
  const { id, status, reason, http, message, source, line } = item
  item.searched ??= [id, status, reason, http, message, source, line].join('\n').toLowerCase()
  return item.searched
}

function lineText({ line, source }: Item): string {
  return `${line} in ${source.replace(/^.*[/\\]/, '')}`
}

function settledText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ')
}
