import type { CheckpointEvent } from '../checkpoint/checkpoint.js'
import type { RunFile } from '../checkpoint/run-file.js'
import type { Fingerprinted, RunSettings } from '../settings/run-settings.js'
import { inDigits, inTime } from '../system/text.js'
import type { Facts } from './html-facts.js'
import { type Markup, markup, outside, type Piece } from './html-markup.js'
import type { Limits } from './html-pace.js'
import { limitText, moment, percentText } from './html-words.js'

/** How the run was done: what happened to it when and by whom, its settings, its files. */
export function detailsSection(facts: Facts): Markup {
  const { run, head } = facts
  return markup`<section aria-labelledby="details">
<h2 id="details">How it was run</h2>
<h3>What happened</h3>
<table class="plain"><thead><tr><th scope="col">When</th><th scope="col">What</th><th scope="col">Who</th></tr></thead><tbody>
${history(facts.events, run)}</tbody></table>
<h3>Settings at the start</h3>
<table class="plain"><tbody>
${[...settingsOf(run.settings), ...jobOf(run)].map(([name, text]) => markup`<tr><th scope="row">${name}</th><td>${text}</td></tr>\n`)}</tbody></table>
<h3>Files</h3>
<table class="plain files"><thead><tr><th scope="col">File</th><th scope="col" class="number">Bytes</th><th scope="col">SHA-256</th></tr></thead><tbody>
${run.input.map((file) => fileRow(file, 'input'))}${run.hold.map((file) => fileRow(file, 'never to be touched'))}</tbody></table>
<p class="note">Run <code>${outside(run.run)}</code> on ${outside(run.host)}. The last line of its checkpoint has the SHA-256 <code class="hash">${head}</code>: with it, anybody can prove later that the record is this one.</p>
</section>
`
}

function fileRow({ name, bytes, sha256 }: Fingerprinted, what: string): Markup {
  return markup`<tr><td>${outside(name)} <small>${what}</small></td><td class="number">${inDigits(bytes)}</td><td><code class="hash">${sha256}</code></td></tr>\n`
}

function history(events: readonly CheckpointEvent[], run: RunFile): Piece[] {
  if (events.length === 0) return [markup`<tr><td colspan="3">Nothing yet.</td></tr>`]
  let settings = run.settings
  return events.map((event) => {
    const what = happened(event, settings)
    if ('settings' in event) settings = event.settings
    const who = 'by' in event ? markup`${outside(event.by)} on ${outside(event.host)}` : ''
    return markup`<tr><td>${moment(Date.parse(event.at))}</td><td>${what}</td><td>${who}</td></tr>\n`
  })
}

function happened(event: CheckpointEvent, before: RunSettings): Piece {
  switch (event.event) {
    case 'started':
    case 'resumed': {
      const old = new Map(settingsOf(before))
      const changes = settingsOf(event.settings).filter(([name, text]) => old.get(name) !== text)
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
    case 'throttled':
      return [
        'Throttled',
        event.share === null ? '' : `: share now ${percentText(event.share, 1)}`,
        event.limits === null ? '' : `; limits now ${limitsText(event.limits)}`,
      ]
    case 'input-changed':
      return markup`The input had changed; went on with ${inDigits(event.plan.read)} rows of ${event.input.map(({ name }) => name).join(', ')}`
    case 'waited':
      return ''
  }
}

function limitsText(limits: Limits): string {
  return limits === 'none' || limits.length === 0
    ? 'none'
    : limits.map(({ max, perMs }) => limitText(max, perMs)).join(' and ')
}

/** Settings by their names, as people read them. */
function settingsOf(settings: RunSettings): [string, string][] {
  const { maxFailures, hours } = settings
  const failures = [
    ...(maxFailures.count === null ? [] : [inDigits(maxFailures.count)]),
    ...(maxFailures.ratio === null ? [] : [percentText(maxFailures.ratio, 1)]),
  ]
  return [
    ['Limits', limitsText(settings.limits)],
    ['Share of the limits', percentText(settings.share, 1)],
    ['Hours', hours === null ? 'any' : `${clock(hours.fromMinute)} to ${clock(hours.toMinute)}, local time`],
    ['Calls in flight', `at most ${inDigits(settings.concurrency)}`],
    ['Time-out of a call', inTime(settings.timeoutMs)],
    ['Calls for an item', `at most ${inDigits(settings.attemptsMax)}`],
    ['Stops when more fail than', failures.length === 0 ? 'any number' : failures.join(' or ')],
    ['Gives up when the API is down for', inTime(settings.maxOutageMs)],
    ['Asks for each item first', settings.checkFirst ? 'yes' : 'no'],
    ['Format of the input', settings.format],
    ['Column of the ID', settings.idColumn ?? 'found by its name'],
    ['Takes an input that ends too early', settings.acceptTruncated ? 'yes' : 'no'],
  ]
}

function jobOf(run: RunFile): [string, Piece][] {
  return [
    ['Job', outside(run.job)],
    ...Object.entries(run.jobFlags).map(
      ([name, value]) => [`--${name}`, outside(value)] satisfies [string, Piece],
    ),
    ['Instance', outside(run.instance)],
    ...(run.retryOf === null ? [] : [['Does again what failed in', outside(run.retryOf)] as [string, Piece]]),
    ...(run.live === null
      ? []
      : [
          [
            'Downloaded from Data Export',
            [`${run.live.by} from `, moment(run.live.fromMs), ' to ', moment(run.live.toMs)],
          ] as [string, Piece],
        ]),
    ['Node', run.node],
  ]
}

function clock(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
}
