import { worthRetrying } from '../checkpoint/summary.js'
import { statuses } from '../item.js'
import { counted, inDigits, inTime } from '../system/text.js'
import type { Facts } from './html-facts.js'
import { type Markup, markup, outside } from './html-markup.js'
import { moment, percentText, statusWords } from './html-words.js'

/** The top of the page: what was done, how many, what failed, and what is left to do. */
export function summarySection(facts: Facts, title: Markup): Markup {
  const { run, executions, lastMs } = facts
  const startMs = executions.list[0]?.fromMs ?? Date.parse(run.startedAt)
  const endMs = lastMs ?? startMs
  const { workedMs } = executions
  const wallMs = endMs - startMs
  const last =
    executions.end === null ? 'Last record' : executions.end.event === 'finished' ? 'Ended' : 'Stopped'
  return markup`<header>
<p class="eyebrow">ada-bulk report</p>
<h1>${title}</h1>
${practice(facts)}${verdict(facts)}
<dl class="facts">
<div><dt>Started</dt><dd>${moment(startMs)}</dd></div>
<div><dt>${last}</dt><dd>${moment(endMs)}</dd></div>
<div><dt>Time at work</dt><dd>${inTime(workedMs)}${
    wallMs - workedMs >= 1000
      ? ` in ${counted(executions.list.length, 'execution')}, over ${inTime(wallMs)}`
      : ''
  }</dd></div>
<div><dt>Started by</dt><dd>${outside(run.by)} on ${outside(run.host)}</dd></div>
<div><dt>Calls</dt><dd>${inDigits(facts.calls)}</dd></div>
<div><dt>Version</dt><dd>ada-bulk ${run.adaBulk}</dd></div>
</dl>
</header>
${totalsSection(facts)}`
}

function practice({ run }: Facts): Markup | string {
  return run.isSandbox || run.isPractice
    ? markup`<p class="practice"><strong>Practice run</strong> against the built-in sandbox. No real conversation was touched.</p>\n`
    : ''
}

function verdict(facts: Facts): Markup {
  const { executions, totals, run, reasons } = facts
  const { end } = executions
  const trouble = totals.failed + totals.unknown + totals.invalid
  const left = `${inDigits(totals.left)} of ${counted(totals.read, 'item')} ${totals.left === 1 ? 'is' : 'are'} left`
  const resume = markup` <span class="command">Go on with <code>ada-bulk resume ${quoted(run.run)}</code></span>`
  if (executions.list.length === 0)
    return markup`<p class="verdict is-open"><strong>Not begun.</strong> ${left}.${resume}</p>`
  if (end === null)
    return markup`<p class="verdict is-open"><strong>Not finished.</strong> ${left}. When this was written the run was still at work, or its process had died; in that case:${resume}</p>`
  if (end.event === 'stopped')
    return markup`<p class="verdict is-open"><strong>Stopped, not finished.</strong> ${left}. Why: ${outside(end.because.replace(/\.$/, ''))}.${resume}</p>`
  if (trouble === 0)
    return markup`<p class="verdict is-good"><strong>Finished, and nothing failed.</strong> There is nothing left to do.</p>`
  const again = worthRetrying(totals, reasons)
  return markup`<p class="verdict is-bad"><strong>Finished; ${inDigits(trouble)} of ${counted(totals.read, 'item')} ${trouble === 1 ? 'needs' : 'need'} a look.</strong> ${
    again === 0
      ? 'Trying again would not help; the reasons are below.'
      : markup`Trying again may help ${again === trouble ? (again === 1 ? 'it' : 'them') : `${inDigits(again)} of them`}. <span class="command">Try again with <code>ada-bulk retry ${quoted(run.run)}</code></span>`
  }</p>`
}

function totalsSection({ totals, rows }: Facts): Markup {
  const { read } = totals
  const shown = ([...statuses, 'left'] as const).filter(
    (status) => totals[status] > 0 || status === 'succeeded' || status === 'failed',
  )
  let x = 0
  const bars = shown.map((status) => {
    const width = read === 0 ? 0 : (totals[status] / read) * 100
    const bar = markup`<rect class="is-${status}" x="${x}%" width="${width}%" height="100%"/>`
    x += width
    return bar
  })
  return markup`<section aria-labelledby="totals">
<h2 id="totals">What became of ${counted(read, 'item')}</h2>
<svg class="bar" aria-hidden="true">${bars}</svg>
<dl class="totals">
${shown.map(
  (status) =>
    markup`<div><dt class="status is-${status}">${status}</dt><dd><b>${inDigits(totals[status])}</b> <span>${percentText(totals[status], read)}</span><small>${statusWords[status]}</small></dd></div>\n`,
)}</dl>
${rows.isCut ? markup`<p>Every item stands in <code>report.csv</code>.</p>` : ''}</section>
`
}

/** As a shell takes it. */
function quoted(path: string): string {
  return /^[\w./:@%+,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}
