import { counted, inDigits } from '../system/text.js'
import { type Charts, chartsOf } from './html-charts.js'
import type { Break } from './html-drawn.js'
import type { Durations } from './html-durations.js'
import type { Facts } from './html-facts.js'
import { jsonBlock, type Markup, markup } from './html-markup.js'
import type { Pace } from './html-pace.js'
import { limitText, moment, percentText, spanText, waitText } from './html-words.js'

const breaksShown = 12

/** How the run went over time: the charts, how they stand against the limits, and where the time went. */
export function timesSections(facts: Facts): Markup {
  if (facts.calls === 0) return markup`<section><h2>How it went</h2><p>Nothing was called.</p></section>\n`
  const charts = chartsOf(facts)
  return markup`${overTime(charts)}${pace(facts, charts)}${answers(facts)}${waits(facts)}${jsonBlock('charts', JSON.stringify(charts))}`
}

function overTime({ widthMs, outcomes, breaks }: Charts): Markup {
  const sums = outcomes.map(
    ({ status, times }) =>
      `${status} ${inDigits(times.reduce<number>((sum, count) => sum + (count ?? 0), 0))}`,
  )
  return markup`<section class="unbroken" aria-labelledby="over-time">
<h2 id="over-time">Outcomes over time</h2>
<p>Items settled by calling, ${perBucket(widthMs)}. Times are UTC.</p>
<div class="chart" id="outcomes-chart" role="img" aria-label="Bars of the items settled over time: ${sums.join(', ') || 'none'}."></div>
${breaks.length === 0 ? '' : notDrawn(breaks)}</section>
`
}

function notDrawn(breaks: readonly Break[]): Markup {
  return markup`<p class="note">Not drawn, as nothing happened then (dashed lines):</p><ul class="note">${breaks
    .slice(0, breaksShown)
    .map(
      ({ fromMs, toMs, why }) =>
        markup`<li>${moment(fromMs)} to ${moment(toMs)}, ${spanText(toMs - fromMs)}: ${why}</li>`,
    )}${
    breaks.length > breaksShown
      ? markup`<li>and ${counted(breaks.length - breaksShown, 'more time')}</li>`
      : ''
  }</ul>`
}

function pace({ pace }: Facts, { widthMs, calls }: Charts): Markup {
  const highest = calls.reduce<number>((most, count) => Math.max(most, count ?? 0), 0)
  const rows = pace.busiest.map(({ perMs, count }) => {
    const allowed = pace.mostIn(perMs)
    const name = limitText(1, perMs).replace(/^1 (a|in) /, '')
    return markup`<tr><th scope="row">Busiest ${name}</th><td class="number">${inDigits(count)}</td><td class="number">${allowed === null ? '–' : inDigits(allowed.share)}</td><td class="number">${allowed === null ? 'none' : inDigits(allowed.limit)}</td></tr>\n`
  })
  return markup`<section class="unbroken" aria-labelledby="pace">
<h2 id="pace">Calls a minute, against the limit</h2>
<p>${widthMs > 60_000 ? `Mean of ${spanText(widthMs)}.` : 'Calls in the 60 seconds up to each moment.'} ${limitsSentence(pace)}</p>
<div class="chart" id="calls-chart" role="img" aria-label="Line of the calls a minute, at most ${inDigits(Math.round(highest))}."></div>
<table class="plain"><thead><tr><td></td><th scope="col" class="number">Calls of this run</th><th scope="col" class="number">Our share, at most</th><th scope="col" class="number">Limit</th></tr></thead><tbody>
${rows}</tbody></table>
</section>
`
}

function limitsSentence({ allowed }: Pace): string {
  const { limits, share } = allowed.at(-1)!
  if (limits === 'none' || limits.length === 0) return 'No limit was set.'
  const limit = `The limit is ${limits.map(({ max, perMs }) => limitText(max, perMs)).join(' and ')}`
  if (allowed.some((other) => other.share !== share))
    return `${limit}; the share that this run took of it was changed on the way.`
  return share === 1
    ? `${limit}; this run was allowed all of it.`
    : `${limit}; this run kept to ${percentText(share, 1)} of it, and left the rest to live traffic.`
}

function answers({ answerTimes, itemTimes }: Facts): Markup {
  const row = (name: string, times: Durations) =>
    markup`<tr><th scope="row">${name}</th>${[50, 90, 99].map((percent) => markup`<td class="number">${spanText(times.percentileMs(percent))}</td>`)}<td class="number">${spanText(times.maxMs)}</td><td class="number">${inDigits(times.count)}</td></tr>\n`
  return markup`<section class="unbroken" aria-labelledby="answers">
<h2 id="answers">How long the API took</h2>
<table class="plain"><thead><tr><td></td><th scope="col" class="number">Half within (p50)</th><th scope="col" class="number">90% within (p90)</th><th scope="col" class="number">99% within (p99)</th><th scope="col" class="number">Longest</th><th scope="col" class="number">Counted</th></tr></thead><tbody>
${row('A call, until its answer', answerTimes)}${row('An item, with all its tries and waits between them', itemTimes)}</tbody></table>
<div class="chart" id="answers-chart" role="img" aria-label="Bars of how many calls were answered within which time: half within ${spanText(answerTimes.percentileMs(50))}, 99% within ${spanText(answerTimes.percentileMs(99))}."></div>
</section>
`
}

function waits({ waited, executions }: Facts): Markup {
  const known = [...waited].sort(([, a], [, b]) => b - a)
  const knownMs = known.reduce((sum, [, ms]) => sum + ms, 0)
  const unknownMs = executions.workedMs - knownMs
  const list = unknownMs > executions.workedMs / 100 ? [...known, [null, unknownMs] as const] : known
  const wholeMs = Math.max(knownMs, executions.workedMs, 1)
  return markup`<section class="unbroken" aria-labelledby="waits">
<h2 id="waits">Where the time went</h2>
${
  knownMs === 0
    ? markup`<p>Not recorded.</p>`
    : markup`<table class="plain waits"><thead><tr><th scope="col">What for</th><th scope="col" class="number">Time</th><th scope="col" class="number">Part</th><td></td></tr></thead><tbody>
${list.map(
  ([what, ms]) =>
    markup`<tr><th scope="row">${what === null ? 'Not recorded' : waitText(what)}</th><td class="number">${spanText(ms)}</td><td class="number">${percentText(ms, wholeMs)}</td><td><svg class="wait" aria-hidden="true"><rect class="${what === 'calling' ? 'is-succeeded' : 'is-filtered'}" width="${(ms / wholeMs) * 100}%" height="100%"/></svg></td></tr>\n`,
)}</tbody></table>`
}
</section>
`
}

function perBucket(widthMs: number): string {
  const name = limitText(1, widthMs).replace(/^1 (a|in) /, '')
  return name.includes(' ') ? `in every ${name}` : `each ${name}`
}
