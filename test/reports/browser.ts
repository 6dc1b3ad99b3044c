import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, describe, expect } from 'vitest'

const chromiumPath = process.env.CHROMIUM ?? '/usr/bin/chromium'
const isThere = existsSync(chromiumPath)
if (!isThere) {
  const how = `needs ${chromiumPath} (Debian: apt-get install chromium; elsewhere name it in CHROMIUM)`
  if (process.env.CI) throw new Error(`The tests of report.html cannot run: one ${how}.`)
  console.warn(`NOT TESTED: report.html in a browser, which ${how}.`)
}

/** Tests that need a browser. */
export function describeInBrowser(what: string, tests: () => void): void {
  describe.skipIf(!isThere)(what, tests)
}

let browser: Promise<Browser> | null = null
const opened: { page: Page; problems: string[] }[] = []
afterAll(async () => {
  await (await browser)?.close()
  browser = null
})

/** How the reader of a report has set up the browser. */
interface Reader {
  colorScheme?: 'light' | 'dark'
  javaScriptEnabled?: boolean
}

/** Opens a report. Whatever it says on the console, throws, or asks for outside of its own file is kept. */
export async function openReport(file: string, reader: Reader = {}): Promise<Page> {
  browser ??= chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] })
  const page = await (await browser).newPage({ ...reader, viewport: { width: 1280, height: 900 } })
  const problems: string[] = []
  opened.push({ page, problems })
  const url = `file://${file}`
  page.on('console', (message) => problems.push(`console: ${message.text()}`))
  page.on('pageerror', (error) => problems.push(`error: ${error.message}`))
  page.on('dialog', (dialog) => {
    problems.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('request', (request) => {
    if (request.url() !== url && !request.url().startsWith('data:'))
      problems.push(`request: ${request.url()}`)
  })
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) =>
      console.error(`policy: ${event.violatedDirective}`),
    )
  })
  await page.goto(url)
  return page
}

/** Closes what was opened. None of it may have had a problem. */
export async function closeReports(): Promise<void> {
  for (const { page, problems } of opened.splice(0)) {
    await page.close()
    expect(problems).toEqual([])
  }
}

/** The distinct colours that a chart is drawn with: one when nothing is. */
export function colorsIn(page: Page, chart: string): Promise<number> {
  return page.locator(`#${chart} canvas`).evaluate((canvas: HTMLCanvasElement) => {
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height)
    return new Set(new Uint32Array(data.buffer)).size
  })
}
