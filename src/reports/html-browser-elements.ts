/// <reference lib="dom" />
import type { Column } from './html-browser-rows.js'

/** Runs in the page. What the table is made of. */

/** Holds the place of rows that are not in the page. */
export function spacer(): { row: HTMLTableRowElement; height(px: number): void } {
  const row = document.createElement('tr')
  row.setAttribute('aria-hidden', 'true')
  const cell = row.insertCell()
  cell.className = 'spacer'
  return {
    row,
    height(px) {
      cell.style.height = `${px}px`
      row.hidden = px === 0
    },
  }
}

export function newRow(columns: readonly Column[]): HTMLTableRowElement {
  const row = document.createElement('tr')
  for (const column of columns) {
    const cell = row.insertCell()
    cell.className = `column-${column}`
    if (column === 'id') cell.append(withText('button', ''))
  }
  return row
}

export function withText(element: string, text: string): HTMLElement {
  const made = document.createElement(element)
  made.textContent = text
  return made
}
