import { join } from 'node:path'
import type { BuildOptions } from 'esbuild'

/**
 * The script and the style of the page, bundled from the files beside this one. `npm run build` puts the texts in
 * place of this module, so that nothing is read or bundled when a report is written.
 */
export async function pageAssets(): Promise<{ script: string; style: string }> {
  bundled ??= bundle()
  return bundled
}

let bundled: Promise<{ script: string; style: string }> | undefined

const chartLicense = '/*! uPlot (c) Leon Sorokin, MIT license, https://github.com/leeoniya/uPlot */'

async function bundle() {
  const { buildSync } = await import('esbuild')
  const directory = import.meta.dirname
  const entry = join(directory, import.meta.url.endsWith('.ts') ? 'html-browser.ts' : 'html-browser.js')
  const contents = `@import "uplot/dist/uPlot.min.css";${style}`
  const inputs: BuildOptions[] = [
    { entryPoints: [entry], format: 'iife', target: 'es2022', banner: { js: chartLicense } },
    { stdin: { contents, loader: 'css', resolveDir: directory } },
  ]
  const [script, css] = inputs.map((input) => {
    const { outputFiles } = buildSync({ ...input, bundle: true, minify: true, write: false })
    return outputFiles[0]!.text
  })
  return { script: script!, style: css! }
}

/** The colors differ in lightness too, for readers who cannot tell red from green. */
const light = `color-scheme: light; --page: #f5f6f8; --card: #fff; --text: #1b1f24; --quiet: #59626e; --line: #dce0e5;
--link: #0b57a4; --succeeded: #2673b8; --failed: #c4320a; --unknown: #e09a00; --invalid: #7d3c98; --duplicate: #8a94a0;
--filtered: #aab3bd; --left: #dce0e5; --warn: #fff1cc; --warn-text: #4d3800; --good: #e3f1fc; --bad: #fde8e1;`
const dark = `color-scheme: dark; --page: #14171b; --card: #1d2127; --text: #e8eaed; --quiet: #a3adb8; --line: #363d46;
--link: #8ec5ff; --succeeded: #58a6e8; --failed: #ff7d56; --unknown: #ffd166; --invalid: #c58be0; --duplicate: #8a94a0;
--filtered: #66717d; --left: #363d46; --warn: #4a3a0c; --warn-text: #ffe9ad; --good: #16324a; --bad: #4a2115;`

const style = `
:root, .paper { ${light} }
@media screen and (prefers-color-scheme: dark) { :root { ${dark} } }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 80rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; }
header, section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1.25rem 1.5rem; }
h1, h2, h3, p, dl, dd, ul { margin: 0; }
h1 { font-size: 2rem; line-height: 1.2; overflow-wrap: anywhere; }
h1 span { font-weight: 400; }
h2 { font-size: 1.25rem; margin-bottom: .6rem; }
h3 { font-size: 1rem; margin: 1rem 0 .4rem; }
p + p { margin-top: .5rem; }
code { font: .9em ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
small, .note, .eyebrow { color: var(--quiet); font-size: .875rem; }
.eyebrow { letter-spacing: .04em; }
ul.note, .failure ul { padding-left: 1.2rem; }
bdi, td, dd { overflow-wrap: anywhere; }
.practice { margin: .9rem 0; padding: .8rem 1rem; border-radius: 8px; background: var(--warn); color: var(--warn-text); border: 2px dashed currentColor; font-size: 1.15rem; }
.practice strong { display: block; font-size: 2rem; line-height: 1.15; text-transform: uppercase; letter-spacing: .03em; }
.verdict { margin: .9rem 0 1.1rem; padding: .8rem 1rem; border-radius: 8px; border-left: 6px solid; font-size: 1.1rem; }
.verdict strong { font-size: 1.25rem; }
.verdict.is-good { background: var(--good); border-color: var(--succeeded); }
.verdict.is-bad { background: var(--bad); border-color: var(--failed); }
.verdict.is-open { background: var(--warn); color: var(--warn-text); border-color: var(--unknown); }
.command { display: block; margin-top: .4rem; }
.command code { background: var(--card); color: var(--text); border: 1px solid var(--line); border-radius: 5px; padding: .15rem .4rem; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: .6rem 1.5rem; }
dt { color: var(--quiet); font-size: .875rem; }
.bar { display: block; width: 100%; height: 18px; border-radius: 5px; background: var(--left); }
.wait { display: block; width: 100%; height: 14px; min-width: 6rem; }
.totals { display: grid; grid-template-columns: repeat(auto-fit, minmax(11.5rem, 1fr)); gap: .9rem 1.5rem; margin-top: 1rem; }
.totals b { font-size: 1.6rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.totals span { color: var(--quiet); margin-left: .2rem; }
.totals small { display: block; line-height: 1.35; }
dt.status { color: var(--text); font-weight: 600; }
.status { white-space: nowrap; }
.status::before { display: inline-block; width: 1.15em; margin-right: .4em; border-radius: 3px; text-align: center; font-weight: 700; font-size: .8em; line-height: 1.45; color: var(--card); background: var(--mark); content: var(--sign); }
.is-succeeded { --mark: var(--succeeded); --sign: "✓"; fill: var(--succeeded); }
.is-failed { --mark: var(--failed); --sign: "✕"; fill: var(--failed); }
.is-unknown { --mark: var(--unknown); --sign: "?"; fill: var(--unknown); }
.is-invalid { --mark: var(--invalid); --sign: "!"; fill: var(--invalid); }
.is-duplicate { --mark: var(--duplicate); --sign: "="; fill: var(--duplicate); }
.is-filtered { --mark: var(--filtered); --sign: "–"; fill: var(--filtered); }
.is-left { --mark: var(--left); --sign: "…"; fill: var(--left); }
.status.is-left::before { color: var(--text); }
.failure { border-left: 4px solid var(--mark); padding: .1rem 0 .1rem 1rem; margin-bottom: 1rem; }
.failure h3 { margin: 0 0 .2rem; display: flex; flex-wrap: wrap; align-items: baseline; gap: .3rem .7rem; }
button { font: inherit; color: inherit; background: none; border: 1px solid var(--line); border-radius: 6px; padding: .1rem .6rem; cursor: pointer; }
button.show { font-size: .875rem; font-weight: 400; color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 1px; }
summary { cursor: pointer; color: var(--link); margin-top: .5rem; }
table { border-collapse: collapse; width: 100%; }
.plain { margin: .4rem 0; display: block; overflow-x: auto; }
.plain th, .plain td { text-align: left; vertical-align: top; padding: .35rem .9rem .35rem 0; border-bottom: 1px solid var(--line); font-weight: 400; min-width: 4.5rem; }
.plain thead th { color: var(--quiet); font-size: .875rem; }
.plain .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
time { overflow-wrap: normal; }
.plain time { white-space: nowrap; }
#waits + table td:last-child { width: 45%; }
.plain th[scope=row], .plain td:nth-child(2):not(.number) { min-width: 10rem; }
.hash { font-size: .8em; }
.chart { margin: .6rem 0; min-height: 240px; overflow: hidden; }
.chart .u-legend { color: var(--text); }
.tools { display: flex; flex-wrap: wrap; gap: .6rem 1.2rem; align-items: center; margin-bottom: .6rem; }
.tools > label { flex: 1 1 16rem; display: flex; gap: .5rem; align-items: center; }
input[type=search] { flex: 1; min-width: 8rem; font: inherit; padding: .35rem .6rem; border: 1px solid var(--quiet); border-radius: 6px; background: var(--card); color: var(--text); }
fieldset { border: 0; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .3rem 1rem; }
legend { float: left; margin-right: .8rem; padding: 0; }
fieldset label { display: inline-flex; align-items: center; gap: .35rem; }
output { font-variant-numeric: tabular-nums; white-space: nowrap; }
#scroller { height: 34rem; max-height: 75vh; overflow: auto; overflow-anchor: none; border: 1px solid var(--line); border-radius: 6px; }
#scroller table { table-layout: fixed; min-width: 76rem; border-collapse: separate; border-spacing: 0; font-size: .875rem; }
#scroller th { position: sticky; top: 0; z-index: 1; background: var(--page); text-align: left; padding: 0; border-bottom: 1px solid var(--line); }
#scroller th button { width: 100%; text-align: left; border: 0; border-radius: 0; padding: .4rem .6rem; font-weight: 600; white-space: nowrap; }
th[aria-sort=ascending] button::after { content: " ▲"; font-size: .7em; }
th[aria-sort=descending] button::after { content: " ▼"; font-size: .7em; }
#scroller td { height: 33px; padding: 0 .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; overflow: hidden; text-overflow: ellipsis; unicode-bidi: isolate; }
#scroller td.spacer { height: auto; border: 0; padding: 0; }
#scroller td button { max-width: 100%; border: 0; padding: 0; color: var(--link); font: .9em ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; overflow: hidden; text-overflow: ellipsis; unicode-bidi: isolate; display: block; }
.column-id { width: 13.5rem; } .column-status { width: 7.6rem; } .column-reason { width: 8rem; } .column-http { width: 3.9rem; } .column-calls { width: 4.2rem; }
.column-settled { width: 11rem; } .column-took { width: 5.2rem; } .column-line { width: 9.5rem; }
dialog { max-width: min(44rem, 92vw); background: var(--card); color: var(--text); border: 1px solid var(--line); border-radius: 10px; padding: 1.25rem 1.5rem; }
dialog::backdrop { background: rgb(0 0 0 / .4); }
dialog h3 { margin-top: 0; font-family: ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; unicode-bidi: isolate; }
dialog dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.2rem; margin-bottom: 1rem; }
dialog dd { unicode-bidi: isolate; }
#printed { display: none; }
@media (max-width: 40rem) { h1 { font-size: 1.5rem; } header, section { padding: 1rem; border-radius: 8px; } main { padding: .5rem .5rem 3rem; } .practice strong { font-size: 1.5rem; } .totals { grid-template-columns: 1fr 1fr; } #waits + table td:last-child { display: none; } .plain time { white-space: normal; } .plain th[scope=row] { min-width: 6rem; } }
@media print {
  @page { margin: 14mm; }
  :root { font-size: 11px; }
  body { background: #fff; }
  main { padding: 0; display: block; }
  header, section { border: 0; padding: 0 0 1rem; margin-bottom: 1rem; border-radius: 0; border-bottom: 1px solid var(--line); }
  #viewer, button.show, details:not([open]) { display: none; }
  .bar, .wait, .u-marker, .status::before, .verdict, .practice { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .chart, .failure, .unbroken, tr, .totals div { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .plain { display: table; }
  #printed { display: block; font-size: 8px; }
  #printed th, #printed td { text-align: left; vertical-align: top; padding: 2px 5px 2px 0; border-bottom: 1px solid var(--line); width: auto; white-space: nowrap; unicode-bidi: isolate; }
  #printed .column-message, #printed .column-line, #printed .column-id { white-space: normal; overflow-wrap: anywhere; }
  #printed thead { display: table-header-group; }
  #printed button { border: 0; padding: 0; text-align: left; overflow-wrap: anywhere; }
}
`
