import { createHash } from 'node:crypto'
import { jobShortName } from '../checkpoint/run-file.js'
import { worthRetrying } from '../checkpoint/summary.js'
import { statuses } from '../item.js'
import { version } from '../system/host.js'
import { counted, inDigits, inTime, shellWord } from '../system/text.js'
import { pageAssets } from './html-assets.js'
import { openModel, type PageModel } from './html-model.js'
import {
  block,
  type Markup,
  markup,
  moment,
  outside,
  percentText,
  plainTable,
  reasonText,
  statusWords,
} from './html-words.js'
import { type Report, writePiece } from './report.js'

/**
 * `report.html`: one file for people, which loads nothing. What matters most is plain HTML; the page's script draws
 * the rest from one block of JSON.
 */
export const htmlReport: Report = {
  format: 'html',
  fileName: 'report.html',
  begin(run, out) {
    const { history, add, model, rows } = openModel(run)
    return {
      history,
      add,
      async end(end) {
        const page = model(end)
        const { script, style } = await pageAssets()
        await writePiece(out, shell(page, script, style))
        for (const piece of modelBlock(page, rows.list)) await writePiece(out, piece)
        await writePiece(out, `${block('script', script).text}</body>\n</html>\n`)
      },
    }
  },
  versionIn: (head) => /<meta name="generator" content="ada-bulk ([^"]*)">/.exec(head)?.[1] ?? null,
}

/** The block of JSON in pieces, as its rows may be many megabytes. No text in it can end the block. */
export function* modelBlock(model: unknown, rows: readonly string[]): Generator<string> {
  const escaped = (json: string) => json.replaceAll('<', '\\u003c')
  yield `<script type="application/json" id="model">{"model":${escaped(JSON.stringify(model))},"rows":[\n`
  for (let from = 0; from < rows.length; from += 1000) {
    yield (from === 0 ? '' : ',\n') + escaped(rows.slice(from, from + 1000).join(',\n'))
  }
  yield ']}</script>\n'
}

/** The page without its data and script. Only what its policy has the hash of runs in it. */
function shell(model: PageModel, script: string, style: string): string {
  const { run } = model
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  const policy = `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; img-src data:; base-uri 'none'; form-action 'none'`
  const where = run.isSandbox ? 'the sandbox' : new URL(run.instance).host
  const job = jobShortName(run.job)
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="ada-bulk ${version}">
<title>${job} on ${where} – ada-bulk report</title>
<link rel="icon" href="data:,">
${block('style', style)}</head>
<body>
<main>
<header>
<p class="eyebrow">ada-bulk report</p>
<h1>${outside(job)} <span>on ${outside(where)}</span></h1>
${run.isPractice ? markup`<p class="practice"><strong>Practice run</strong> against the built-in sandbox. No real conversation was touched.</p>\n` : ''}${verdict(model)}
${facts(model)}</header>
${totalsSection(model)}${failuresSection(model)}<noscript><p>The rest of this page needs JavaScript. <code>report.csv</code> has every item.</p></noscript>
</main>
<div class="paper" hidden></div>
`.text
}

/** Whether the run is finished, and what to do next. */
function verdict({ run, totals, reasons, executions, end }: PageModel): Markup {
  const open = (status: string, why: Markup | string) =>
    markup`<p class="verdict is-open"><strong>${status}.</strong> ${inDigits(totals.left)} of ${counted(totals.read, 'item')} ${totals.left === 1 ? 'is' : 'are'} left.${why} ${command('Resume', 'resume')}</p>`
  const command = (what: string, name: string) =>
    markup`<span class="command">${what} with <code>ada-bulk ${name} ${shellWord(run.name)}</code></span>`
  if (executions === 0) return open('Not begun', '')
  if (end === null)
    return open('Not finished', ' When this was written, the run was still at work or its process had died.')
  if (end.event === 'stopped')
    return open('Stopped, not finished', markup` Why: ${outside(end.because.replace(/\.$/, ''))}.`)
  const failed = totals.failed + totals.unknown + totals.invalid
  if (failed === 0)
    return markup`<p class="verdict is-good"><strong>Finished, and nothing failed.</strong> There is nothing left to do.</p>`
  const retriable = worthRetrying(totals, reasons)
  const them = retriable < failed ? `${inDigits(retriable)} of them` : failed === 1 ? 'it' : 'them'
  return markup`<p class="verdict is-bad"><strong>Finished; ${inDigits(failed)} of ${counted(totals.read, 'item')} ${failed === 1 ? 'needs' : 'need'} a look.</strong> ${
    retriable === 0
      ? 'A retry would not help; the reasons are below.'
      : markup`A retry may help ${them}. ${command('Retry', 'retry')}`
  }</p>`
}

function facts({ run, fromMs, toMs, workedMs, executions, calls, end }: PageModel): Markup {
  const wallMs = toMs - fromMs
  const over =
    wallMs - workedMs < 1000 ? '' : ` in ${counted(executions, 'execution')}, over ${inTime(wallMs)}`
  const last = end === null ? 'Last record' : end.event === 'finished' ? 'Ended' : 'Stopped'
  const texts: [string, Markup | string][] = [
    ['Started', moment(fromMs)],
    [last, moment(toMs)],
    ['Time at work', inTime(workedMs) + over],
    ['Started by', markup`${outside(run.by)} on ${outside(run.host)}`],
    ['Calls', inDigits(calls)],
    ['Version', `ada-bulk ${run.version}`],
  ]
  return markup`<dl class="facts">\n${texts.map(([name, text]) => markup`<div><dt>${name}</dt><dd>${text}</dd></div>\n`)}</dl>\n`
}

function totalsSection({ totals, table }: PageModel): Markup {
  const { read } = totals
  const shown = [...statuses, 'left' as const].filter(
    (status) => totals[status] > 0 || status === 'succeeded' || status === 'failed',
  )
  let x = 0
  const bars = shown.map((status) => {
    const width = read === 0 ? 0 : (totals[status] / read) * 100
    x += width
    return markup`<rect class="is-${status}" x="${x - width}%" width="${width}%" height="100%"/>`
  })
  return markup`<section aria-labelledby="totals">
<h2 id="totals">What became of ${counted(read, 'item')}</h2>
<svg class="bar" aria-hidden="true">${bars}</svg>
<dl class="totals">
${shown.map((status) => markup`<div><dt class="status is-${status}">${status}</dt><dd><b>${inDigits(totals[status])}</b> <span>${percentText(totals[status], read)}</span><small>${statusWords[status]}</small></dd></div>\n`)}</dl>
${table.isCut ? markup`<p><code>report.csv</code> has every item.</p>` : ''}</section>
`
}

/** What needs a person, by reason, with the API's messages; then every reason with its count. */
function failuresSection({ failures, reasons, retries }: PageModel): Markup {
  const group = ({ status, reason, count, messages, otherMessages, examples }: (typeof failures)[number]) =>
    markup`<article class="failure is-${status}">
<h3><span class="status is-${status}">${status}</span> <code>${reason}</code> <b>${inDigits(count)}</b>
<button type="button" class="show" data-search="${reason}" hidden>Show in the table</button></h3>
<p>${reasonText(reason)}</p>
${messages.length === 0 ? '' : markup`<ul>${messages.map(([message, times]) => markup`<li>${outside(message)} <small>× ${inDigits(times)}</small></li>`)}${otherMessages === 0 ? '' : markup`<li><small>and ${counted(otherMessages, 'other message')}</small></li>`}</ul>`}
${examples.length === 0 ? '' : markup`<p class="note">For example ${examples.map((id, index) => [index === 0 ? '' : ', ', markup`<code>${outside(id)}</code>`])}</p>`}
</article>
`
  return markup`<section aria-labelledby="failures">
<h2 id="failures">What failed, and why</h2>
${failures.length === 0 ? markup`<p>Nothing failed.</p>` : failures.map(group)}
${retries.length === 0 ? '' : markup`<p class="note">Calls without an outcome, which were made again or given up: ${retries.map(([reason, times]) => `${reason} ${inDigits(times)}`).join(', ')}.</p>`}
<details><summary>All reasons</summary>
${plainTable(
  ['Reason', 'Items', 'Meaning'],
  [1],
  Object.entries(reasons).map(([reason, count]) => [
    markup`<code>${reason}</code>`,
    inDigits(count),
    reasonText(reason),
  ]),
)}</details>
</section>
`
}
