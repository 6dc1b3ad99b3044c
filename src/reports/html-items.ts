import { statuses } from '../item.js'
import { inDigits } from '../system/text.js'
import type { Facts } from './html-facts.js'
import { jsonBlock, type Markup, markup } from './html-markup.js'
import { rowsMax } from './html-rows.js'

const columns = [
  ['id', 'ID'],
  ['status', 'Status'],
  ['reason', 'Reason'],
  ['http', 'HTTP'],
  ['attempts', 'Calls'],
  ['finished', 'Settled at (UTC)'],
  ['took', 'Took'],
  ['message', 'Message'],
  ['line', 'Line'],
] as const

/** The table of items: the page's script fills it, with as many rows as can be seen. */
export function itemsSection({ rows, totals }: Facts): Markup {
  const settled = totals.read - totals.left
  return markup`<section aria-labelledby="items" id="items-section">
<h2 id="items">Items</h2>
${rows.isCut ? markup`<p>${inDigits(settled)} items are too many for a page: these are the ones that failed, are unknown or invalid${rows.troublesLeftOut > 0 ? `, the first ${inDigits(rowsMax)} of them` : ''}. All stand in <code>report.csv</code>.</p>` : ''}
<noscript><p>The table needs JavaScript; all items stand in <code>report.csv</code>.</p></noscript>
<div id="viewer" hidden>
<div class="tools">
<label>Search <input type="search" id="search" autocomplete="off" spellcheck="false" placeholder="ID, reason, message, file"></label>
<fieldset id="filter"><legend>Show</legend></fieldset>
<output id="shown" aria-live="polite"></output>
</div>
<div id="scroller" tabindex="0" role="region" aria-label="Items; arrow keys scroll">
<table id="table" aria-labelledby="items">
<thead><tr>${columns.map(([name, text]) => markup`<th scope="col" data-column="${name}" class="column-${name}"><button type="button">${text}</button></th>`)}</tr></thead>
<tbody id="rows"></tbody>
</table>
</div>
<p class="note">A click on an ID shows all that is known of it. A click on a head sorts.</p>
</div>
<div id="printed"></div>
<dialog id="item" aria-labelledby="item-id"><form method="dialog"><h3 id="item-id"></h3><dl></dl><button>Close</button></form></dialog>
</section>
`
}

/** The items themselves, in pieces, as they may be many megabytes. */
export function* itemsBlocks({ rows }: Facts): Generator<string> {
  yield '<script type="application/json" id="row-data">[\n'
  const { shown } = rows
  for (let from = 0; from < shown.length; from += 1000) {
    const piece = shown.slice(from, from + 1000).join(',\n')
    yield (from === 0 ? '' : ',\n') + piece.replaceAll('<', '\\u003c')
  }
  yield '\n]</script>\n'
  yield jsonBlock('row-strings', JSON.stringify({ baseMs: rows.baseMs, statuses, strings: rows.strings }))
    .text
}
