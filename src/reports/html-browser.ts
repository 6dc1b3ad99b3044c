/// <reference lib="dom" />
import type { RunSettings } from '../settings/run-settings.js'
import { shareText } from '../settings/share.js'
import { counted, inDigits, inTime } from '../system/text.js'
import { drawCharts } from './html-browser-charts.js'
import { openTable } from './html-browser-table.js'
import type { Row } from './html-figures.js'
import type { PageModel } from './html-model.js'
import {
  limitText,
  type Markup,
  markup,
  moment,
  outside,
  type Piece,
  percentText,
  periodText,
  plainTable,
  spanText,
  waitText,
} from './html-words.js'

const breaksMax = 12

/** Runs in the page: draws what is not plain HTML, and keeps it fit for width, colors and paper. */

const main = document.querySelector('main')!
const { model, rows }: { model: PageModel; rows: Row[] } = JSON.parse(
  document.getElementById('model')!.textContent,
)
const isCalled = model.calls > 0
const notCalled = markup`<section><h2>How it went</h2><p>No calls were made.</p></section>\n`
main.insertAdjacentHTML('beforeend', (isCalled ? timeSections(model) : notCalled).text)
const printTable = openTable(model, rows, main)
main.insertAdjacentHTML('beforeend', detailsSection(model).text)
for (const time of document.querySelectorAll('time'))
  time.title = `${new Date(time.dateTime).toLocaleString()}, your time`

let charts: ReturnType<typeof drawCharts> = []
function draw(isPaper: boolean): void {
  for (const chart of charts) chart.destroy()
  charts = isCalled ? drawCharts(model, isPaper) : []
  printTable(isPaper)
}
const paper = matchMedia('print')
draw(paper.matches)
addEventListener('beforeprint', () => draw(true))
addEventListener('afterprint', () => draw(false))
paper.addEventListener('change', ({ matches }) => draw(matches))
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => draw(paper.matches))
let width = document.body.clientWidth
addEventListener('resize', () => {
  if (width === document.body.clientWidth || paper.matches) return
  width = document.body.clientWidth
  draw(false)
})

/** How the run went over time: charts, the calls against the limits, and where the time went. */
function timeSections({ charts, pace, answerTimes, itemTimes, waits, workedMs }: PageModel): Markup {
  const { widthMs, breaks } = charts
  const sums = charts.outcomes.map(({ status, times }) => {
    const sum = times.reduce<number>((all, count) => all + (count ?? 0), 0)
    return `${status} ${inDigits(sum)}`
  })
  const leftOut = breaks.map(
    ({ fromMs, toMs, why }) =>
      markup`<li>${moment(fromMs)} to ${moment(toMs)}, ${spanText(toMs - fromMs)}: ${why}</li>`,
  )
  const more = leftOut.splice(breaksMax).length
  if (more > 0) leftOut.push(markup`<li>and ${counted(more, 'more time')}</li>`)
  const highest = Math.max(...charts.calls.map((count) => Math.round(count ?? 0)))
  const busiest = pace.busiest.map(({ perMs, count, share, limit }) => [
    `Busiest ${periodText(perMs)}`,
    inDigits(count),
    share === null ? '–' : inDigits(share),
    limit === null ? 'none' : inDigits(limit),
    limit === null ? '–' : percentText(count, limit),
  ])
  const durations = (name: string, { p50, p90, p99, maxMs, count }: typeof itemTimes) => [
    name,
    ...[p50, p90, p99, maxMs].map(spanText),
    inDigits(count),
  ]
  const { p50, p99 } = answerTimes
  const knownMs = waits.reduce((sum, [, ms]) => sum + ms, 0)
  const unknownMs = workedMs - knownMs
  const wholeMs = Math.max(knownMs, workedMs, 1)
  const allWaits = unknownMs > workedMs / 100 ? [...waits, ['', unknownMs] as const] : waits
  const waitRows = allWaits.map(([name, ms]) => [
    name === '' ? 'Not recorded' : waitText(name),
    spanText(ms),
    percentText(ms, wholeMs),
    markup`<svg class="wait" aria-hidden="true"><rect class="${name === 'calling' ? 'is-succeeded' : 'is-filtered'}" width="${(ms / wholeMs) * 100}%" height="100%"/></svg>`,
  ])
  return markup`<section class="unbroken" aria-labelledby="outcomes">
<h2 id="outcomes">Outcomes over time</h2>
<p>Items settled by a call, per ${periodText(widthMs)}. Times are UTC.</p>
<div class="chart" id="outcomes-chart" role="img" aria-label="Bars of the items settled over time: ${sums.join(', ') || 'none'}."></div>
${breaks.length === 0 ? '' : markup`<p class="note">Left out, as nothing happened (dashed lines):</p><ul class="note">${leftOut}</ul>`}</section>
<section class="unbroken" aria-labelledby="calls">
<h2 id="calls">Calls a minute, against the limit</h2>
<p>${widthMs > 60_000 ? `Mean of ${spanText(widthMs)}.` : 'Calls in the 60 seconds up to each moment.'} ${limitsSentence(pace)}</p>
<div class="chart" id="calls-chart" role="img" aria-label="Line of the calls a minute, at most ${inDigits(highest)}."></div>
${plainTable(['', 'Calls of this run', 'Allowed, at most', "Ada's limit", 'Part of it used'], [1, 2, 3, 4], busiest)}
</section>
<section class="unbroken" aria-labelledby="answers">
<h2 id="answers">How long the API took</h2>
${plainTable(
  ['', 'Half within (p50)', '90% within (p90)', '99% within (p99)', 'Longest', 'Count'],
  [1, 2, 3, 4, 5],
  [
    durations('A call, until its answer', answerTimes),
    durations('An item, with all retries and the waits between them', itemTimes),
  ],
)}
<div class="chart" id="answers-chart" role="img" aria-label="Bars of how many calls were answered within which time: half within ${spanText(p50)}, 99% within ${spanText(p99)}."></div>
</section>
<section class="unbroken" aria-labelledby="waits">
<h2 id="waits">Where the time went</h2>
${knownMs === 0 ? markup`<p>Not recorded.</p>` : plainTable(['What for', 'Time', 'Part', ''], [1, 2], waitRows)}
</section>
`
}

function limitsSentence({ limits, caps, share, isShareChanged }: PageModel['pace']): string {
  const cap = caps.length === 0 ? '' : ` Its own cap on top was ${limitsText(caps)}.`
  return `${shareSentence({ limits, share, isShareChanged })}${cap}`
}

function shareSentence({
  limits,
  share,
  isShareChanged,
}: Omit<PageModel['pace'], 'caps' | 'busiest'>): string {
  if (limits === 'none' || limits.length === 0) return 'No limit was set.'
  const limit = `The limit is ${limitsText(limits)}`
  if (isShareChanged) return `${limit}; the share that this run took of it was changed on the way.`
  if (share === 1) return `${limit}; this run was allowed all of it.`
  return `${limit}; this run kept to ${shareText(share)} of it, and left the rest to live traffic.`
}

function limitsText(limits: 'none' | PageModel['pace']['caps']): string {
  if (limits === 'none' || limits.length === 0) return 'none'
  return limits.map(({ max, perMs }) => limitText(max, perMs)).join(' and ')
}

/** How the run was done: what happened, when and by whom, the settings, the files. */
function detailsSection({ run, events, input, hold, head }: PageModel): Markup {
  let settings = run.settings
  const history = events.map((event) => {
    const what = eventText(event, settings)
    if ('settings' in event) settings = event.settings
    const by = 'by' in event ? markup`${outside(event.by)} on ${outside(event.host)}` : ''
    return [moment(Date.parse(event.at)), what, by]
  })
  const file = ({ name, bytes, sha256 }: (typeof input)[number], what: string) => [
    markup`${outside(name)} <small>${what}</small>`,
    inDigits(bytes),
    markup`<code class="hash">${sha256}</code>`,
  ]
  const files = [...input.map((one) => file(one, 'input')), ...hold.map((one) => file(one, 'hold list'))]
  return markup`<section aria-labelledby="details">
<h2 id="details">How it was run</h2>
<h3>What happened</h3>
${plainTable(['When', 'What', 'Who'], [], history.length === 0 ? [['', 'Nothing yet.', '']] : history)}
<h3>Settings at the start</h3>
${plainTable([], [], [...settingsTexts(run.settings), ...jobTexts(run)])}
<h3>Files</h3>
${plainTable(['File', 'Bytes', 'SHA-256'], [1], files)}
<p class="note">Run <code>${outside(run.name)}</code> on ${outside(run.host)}. The last line of its checkpoint has the SHA-256 <code class="hash">${head}</code>: it proves later that the record is this one.</p>
</section>
`
}

function eventText(event: PageModel['events'][number], before: RunSettings): Piece {
  switch (event.event) {
    case 'started':
    case 'resumed': {
      const old = new Map(settingsTexts(before))
      const changes = settingsTexts(event.settings).filter(([name, text]) => old.get(name) !== text)
      const changed = changes.map(([name, text]) => `; ${name.toLowerCase()} now ${text}`).join('')
      return `${event.event === 'started' ? 'Started' : 'Resumed'} by ada-bulk ${event.version}, process ${event.pid}${changed}`
    }
    case 'stopped':
      return markup`Stopped (exit code ${event.exitCode}): ${outside(event.because)}`
    case 'finished':
      return `Finished (exit code ${event.exitCode})`
    case 'paused':
      return 'Paused'
    case 'continued':
      return 'Continued'
    case 'throttled': {
      const share = event.share === null ? '' : `: share now ${percentText(event.share, 1)}`
      return `Throttled${share}${event.limits === null ? '' : `; own cap now ${limitsText(event.limits)}`}`
    }
    case 'input-changed':
      return `The input had changed; continued with ${inDigits(event.plan.read)} rows of ${event.input.map(({ name }) => name).join(', ')}`
    default:
      return ''
  }
}

function settingsTexts(settings: RunSettings): [string, string][] {
  const { maxFailures, hours } = settings
  const failures = [
    ...(maxFailures.count === null ? [] : [inDigits(maxFailures.count)]),
    ...(maxFailures.ratio === null ? [] : [percentText(maxFailures.ratio, 1)]),
  ]
  const clock = (minute: number) =>
    [Math.floor(minute / 60), minute % 60].map((number) => String(number).padStart(2, '0')).join(':')
  return [
    ["Ada's limits", limitsText(settings.limits)],
    ['Own cap on top', limitsText(settings.caps)],
    ['Share of the limits', shareText(settings.share)],
    ['Hours', hours === null ? 'any' : `${clock(hours.fromMinute)} to ${clock(hours.toMinute)}, local time`],
    ['Calls in flight', `at most ${inDigits(settings.concurrency)}`],
    ['Timeout of a call', inTime(settings.timeoutMs)],
    ['Calls for an item', `at most ${inDigits(settings.attemptsMax)}`],
    ['Stops when more fail than', failures.join(' or ') || 'any number'],
    ['Stops when the API is down for', inTime(settings.maxOutageMs)],
    ['Checks each item first', settings.checkFirst ? 'yes' : 'no'],
    ['Format of the input', settings.format],
    ['ID column', settings.idColumn ?? 'found by its name'],
    ['Accepts a truncated input', settings.acceptTruncated ? 'yes' : 'no'],
  ]
}

function jobTexts({ job, jobFlags, instance, retryOf, live, node }: PageModel['run']): [string, Piece][] {
  const texts: [string, Piece][] = [['Job', outside(job)]]
  for (const [name, value] of Object.entries(jobFlags)) texts.push([`--${name}`, outside(value)])
  texts.push(['Instance', outside(instance)])
  if (retryOf !== null) texts.push(['Retry of', outside(retryOf)])
  if (live !== null)
    texts.push([
      'Downloaded from Data Export',
      [`${live.by} from `, moment(live.fromMs), ' to ', moment(live.toMs)],
    ])
  texts.push(['Node', node])
  return texts
}
