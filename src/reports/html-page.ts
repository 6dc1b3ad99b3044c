import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { jobShortName } from '../checkpoint/run-file.js'
import { detailsSection } from './html-details.js'
import type { Facts } from './html-facts.js'
import { failuresSection } from './html-failures.js'
import { itemsBlocks, itemsSection } from './html-items.js'
import { block, markup, outside } from './html-markup.js'
import { style } from './html-style.js'
import { summarySection } from './html-summary.js'
import { timesSections } from './html-times.js'

/** The page in pieces. Only what is hashed in its policy runs in it, and nothing is fetched. */
export function* page(facts: Facts): Generator<string> {
  const { run } = facts
  const styles = [chartStyle(), style]
  const scripts = [chartLibrary(), browserScript()]
  const policy = [
    "default-src 'none'",
    `script-src ${scripts.map(hashOf).join(' ')}`,
    `style-src ${styles.map(hashOf).join(' ')}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  const where = run.isSandbox ? 'the sandbox' : new URL(run.instance).host
  const job = jobShortName(run.job)
  yield markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${job} on ${where} – ada-bulk report</title>
<link rel="icon" href="data:,">
${styles.map((text) => block('style', '', text))}</head>
<body>
<main>
${summarySection(facts, markup`${outside(job)} <span>on ${outside(where)}</span>`)}${failuresSection(facts)}${timesSections(facts)}${itemsSection(facts)}${detailsSection(facts)}</main>
<div class="paper" hidden></div>
`.text
  yield* itemsBlocks(facts)
  yield block('script', '', scripts[0]!).text
  yield block('script', ' type="module"', scripts[1]!).text
  yield '</body>\n</html>\n'
}

/** What the policy allows a block by. */
function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}

const find = createRequire(import.meta.url)

function chartLibrary(): string {
  return readFileSync(find.resolve('uplot/dist/uPlot.iife.min.js'), 'utf8')
}

function chartStyle(): string {
  return readFileSync(find.resolve('uplot/dist/uPlot.min.css'), 'utf8')
}

/** The page's own modules, each before those that import it. */
const browserModules = ['rows', 'elements', 'table', 'axis', 'charts', 'page']

/** One script of the page's modules as they were built: they only import each other. */
function browserScript(): string {
  // Run from its sources, as by the tests, the program takes what was built last.
  const built = new URL(import.meta.url.endsWith('.ts') ? '../../dist/src/reports/' : './', import.meta.url)
  return browserModules
    .map((name) => readFileSync(new URL(`html-browser-${name}.js`, built), 'utf8'))
    .join('\n')
    .replace(/^import .*;$/gm, '')
    .replace(/^export (\{\};$)?/gm, '')
}
