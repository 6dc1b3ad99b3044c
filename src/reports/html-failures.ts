import { counted, inDigits } from '../system/text.js'
import type { Facts } from './html-facts.js'
import { type Markup, markup, outside } from './html-markup.js'
import type { Trouble } from './html-troubles.js'
import { reasonText } from './html-words.js'

const messagesShown = 5

/** What needs a person, by reason, with what the API said; then every reason with its count. */
export function failuresSection({ troubles, reasons, back }: Facts): Markup {
  const { groups } = troubles
  return markup`<section aria-labelledby="failures">
<h2 id="failures">What failed, and why</h2>
${groups.length === 0 ? markup`<p>Nothing failed.</p>` : groups.map(groupOf)}
${[...back].length === 0 ? '' : markup`<p class="note">Calls that came to nothing and were made again, or given up in the end: ${listOf(back)}.</p>`}
<details><summary>All reasons, with what went well</summary>
<table class="plain"><thead><tr><th scope="col">Reason</th><th scope="col" class="number">Items</th><th scope="col">Meaning</th></tr></thead><tbody>
${Object.entries(reasons).map(
  ([reason, count]) =>
    markup`<tr><td><code>${reason}</code></td><td class="number">${inDigits(count)}</td><td>${reasonText(reason)}</td></tr>\n`,
)}</tbody></table></details>
</section>
`
}

function groupOf({ status, reason, count, messages, otherMessages, ids }: Trouble): Markup {
  const inOrder = [...messages].sort(([, a], [, b]) => b - a)
  const rest = inOrder.slice(messagesShown).reduce((sum, [, times]) => sum + times, otherMessages)
  return markup`<article class="failure is-${status}">
<h3><span class="status is-${status}">${status}</span> <code>${reason}</code> <b>${inDigits(count)}</b>
<button type="button" class="show" data-search="${reason}" hidden>Show in the table</button></h3>
<p>${reasonText(reason)}</p>
${
  inOrder.length === 0
    ? ''
    : markup`<ul>${inOrder
        .slice(0, messagesShown)
        .map(
          ([message, times]) => markup`<li>${outside(message)} <small>× ${inDigits(times)}</small></li>`,
        )}${rest === 0 ? '' : markup`<li><small>and ${counted(rest, 'other message')}</small></li>`}</ul>`
}
${ids.length === 0 ? '' : markup`<p class="note">For example ${ids.map((id, index) => [index === 0 ? '' : ', ', markup`<code>${outside(id.slice(0, 80))}</code>`])}</p>`}
</article>
`
}

function listOf(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([reason, times]) => `${reason} ${inDigits(times)}`).join(', ')
}
