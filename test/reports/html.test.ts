import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { closeReports, colorsIn, describeInBrowser, openReport } from './browser.js'
import { ended, type MadeRun, makeRun, notFound } from './made-run.js'

const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-html-'))
afterAll(() => rmSync(directory, { recursive: true }))
afterEach(closeReports)

let made = 0
const newRun = (happens: (run: MadeRun) => void, asked: Parameters<typeof makeRun>[2] = {}) =>
  makeRun(join(directory, `run-${made++}`), happens, asked)

const onHold = { status: 'filtered', reason: 'on_hold', httpStatus: null, message: '' } as const
const timeout = {
  status: 'unknown',
  reason: 'timeout',
  httpStatus: null,
  message: 'no answer in 30 s',
} as const

/** Ten minutes with some failures, a throttle, a stop, and two days later the rest. */
function aRun(run: MadeRun): void {
  run.start()
  run.settle(onHold, 0)
  for (let item = 0; item < 1200; item++) {
    run.ms += 250
    if (item % 100 === 7) run.settle(notFound)
    else if (item === 50) run.settle(timeout, 30_000)
    else run.settle(ended, 50 + (item % 90))
    if (item === 400) run.event({ event: 'throttled', by: 'lee', host: 'laptop', share: 0.5, limits: null })
    if (item !== 600) continue
    run.event({ event: 'waited', ms: { calling: 20_000, 'window 300/60000': 125_000, outage: 5000 } })
    run.event({ event: 'stopped', exitCode: 130, because: 'SIGINT' })
    run.ms += 2 * 86_400_000
    run.start('resumed')
  }
  run.event({ event: 'finished', exitCode: 3 })
}

describeInBrowser('the page', () => {
  let file: string
  beforeAll(async () => {
    file = await newRun(aRun)
  })

  test('says at its top what was done, what became of it, and what to do next', async () => {
    const page = await openReport(file)
    expect(await page.title()).toBe('end-conversations on acme.ada.support – ada-bulk report')
    const top = await page.locator('header').innerText()
    expect(top).toContain('Finished; 13 of 1,201 items need a look.')
    expect(top).toContain('A retry may help 1 of them.')
    expect(top).toContain('ada-bulk retry end-conversations-2026-11-22T09-00-00')
    expect(top).toContain('22 Nov 2026, 09:00:00 UTC')
    expect(top).toContain('5 min in 2 executions, over 2 d')
    expect(top).toContain('kim on ops')
    expect(await page.locator('.totals').innerText()).toMatch(/succeeded\s+1,187/)
  })

  test('groups what failed by its reason, with the messages', async () => {
    const page = await openReport(file)
    const groups = await page.locator('.failure').allInnerTexts()
    expect(groups).toHaveLength(2)
    expect(groups[0]).toMatch(/not_found\s+12[\s\S]*Conversation was not found × 12/)
    expect(groups[1]).toMatch(/timeout\s+1/)
  })

  test('draws its charts, in light and in dark, anew when that changes and when the window does', async () => {
    const page = await openReport(file)
    for (const chart of ['outcomes-chart', 'calls-chart', 'answers-chart'])
      expect(await colorsIn(page, chart)).toBeGreaterThan(3)
    const width = () => page.locator('#calls-chart canvas').evaluate((canvas) => canvas.clientWidth)
    const wide = await width()
    const pageColor = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    const light = await pageColor()
    const drawing = () =>
      page.locator('#calls-chart canvas').evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL())
    const inLight = await drawing()
    await page.emulateMedia({ colorScheme: 'dark' })
    expect(await pageColor()).not.toBe(light)
    await expect.poll(drawing).not.toBe(inLight)
    await page.setViewportSize({ width: 400, height: 900 })
    await expect.poll(width).toBeLessThan(wide / 2)
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(400)
  })

  test('says in words what the charts show, and what they leave out', async () => {
    const page = await openReport(file)
    const words = await page.locator('#outcomes-chart').getAttribute('aria-label')
    expect(words).toContain('succeeded 1,187, failed 12')
    expect(await page.locator('section:has(#outcomes)').innerText()).toMatch(/to 24 Nov.*: stopped/)
    const pace = await page.locator('section:has(#calls)').innerText()
    expect(pace).toMatch(/Busiest minute\s+240\s+240\s+300/)
    expect(pace).toContain('the share that this run took of it was changed on the way')
  })

  test('says where the time went, how it was run, and by whom it was changed', async () => {
    const page = await openReport(file)
    const waits = await page.locator('section:has(#waits)').innerText()
    expect(waits).toMatch(/limit of 300 a minute\s+2 min 5 s/)
    expect(waits).toMatch(/The API was failing\s+5 s/)
    expect(waits).toMatch(/Not recorded\s+2 min 30 s/)
    const details = await page.locator('section:has(#details)').innerText()
    expect(details).toMatch(/Throttled: share now 50%\s+lee on laptop/)
    expect(details).toMatch(/Stopped \(exit code 130\): SIGINT/)
    expect(details).toContain('ab12'.repeat(16))
  })

  test('on paper has its charts and what needs a look, in the colours of paper', async () => {
    const page = await openReport(file, { colorScheme: 'dark' })
    await page.emulateMedia({ media: 'print' })
    await expect.poll(() => page.locator('#printed tbody tr').count()).toBe(13)
    expect(await page.locator('#viewer').isVisible()).toBe(false)
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe(
      'rgb(255, 255, 255)',
    )
    expect(await colorsIn(page, 'outcomes-chart')).toBeGreaterThan(3)
    expect((await page.pdf()).length).toBeGreaterThan(20_000)
    await page.emulateMedia({ media: 'screen' })
    await expect.poll(() => page.locator('#printed tr').count()).toBe(0)
  })

  test('without JavaScript still says what became of the run, and what failed', async () => {
    const page = await openReport(file, { javaScriptEnabled: false })
    const text = await page.locator('main').innerText()
    expect(text).toContain('Finished; 13 of 1,201 items need a look.')
    expect(text).toMatch(/not_found\s+12[\s\S]*Conversation was not found × 12/)
    expect(text).toContain('The rest of this page needs JavaScript.')
  })

  test('is one file that fetches nothing and runs only what is its own', () => {
    const text = readFileSync(file, 'utf8')
    const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(text)![1]!
    expect(policy).toMatch(/^default-src &#39;none&#39;; script-src &#39;sha256-[\w+/=]+&#39;;/)
    expect(policy).not.toContain('unsafe')
    expect(text).not.toMatch(/<[^>]*\s(style|on\w+)=/)
    expect(text.match(/\s(src|href)="(?!data:)/g)).toBeNull()
  })
})

describeInBrowser('the top of the page', () => {
  const topOf = async (file: string) => (await openReport(file)).locator('header').innerText()
  const oneEnded = (run: MadeRun) => {
    run.start()
    run.settle(ended)
    run.ms += 1000
  }

  test.each<[string, (run: MadeRun) => void, number, string[]]>([
    [
      'a run that went well: nothing is left to do',
      (run) => {
        oneEnded(run)
        run.event({ event: 'finished', exitCode: 0 })
      },
      0,
      ['Finished, and nothing failed. There is nothing left to do.'],
    ],
    [
      'a stopped run: how much is left, why, and how to resume',
      (run) => {
        oneEnded(run)
        run.event({ event: 'stopped', exitCode: 75, because: '--max-items 1 reached' })
      },
      12_003,
      [
        'Stopped, not finished. 12,003 of 12,004 items are left. Why: --max-items 1 reached.',
        'ada-bulk resume ',
      ],
    ],
    [
      'a run at work, or whose process died: not finished',
      oneEnded,
      1,
      ['Not finished. 1 of 2 items is left.'],
    ],
    ['a run that has not begun', () => {}, 3, ['Not begun. 3 of 3 items are left.']],
  ])('says of %s', async (_, happens, left, texts) => {
    const top = await topOf(await newRun(happens, { left }))
    for (const text of texts) expect(top).toContain(text)
  })

  test('stands over charts, though all happened in one moment', async () => {
    const page = await openReport(await newRun(oneEnded))
    expect(await colorsIn(page, 'outcomes-chart')).toBeGreaterThan(1)
  })

  test('of an empty run says that there was nothing to do', async () => {
    const file = await newRun((run) => {
      run.start()
      run.event({ event: 'finished', exitCode: 0 })
    })
    const page = await openReport(file)
    expect(await page.locator('header').innerText()).toContain('Finished, and nothing failed.')
    expect(await page.locator('body').innerText()).toContain('No calls were made.')
  })

  test('of practice says so in large letters', async () => {
    const local = { instance: 'http://127.0.0.1:4000' }
    const page = await openReport(await newRun(aRun, { isSandbox: true, ...local }))
    const practice = page.locator('.practice strong')
    expect(await practice.innerText()).toBe('PRACTICE RUN')
    const size = await practice.evaluate((element) => Number.parseFloat(getComputedStyle(element).fontSize))
    expect(size).toBeGreaterThanOrEqual(32)
    // Also against a sandbox that was started before; but not against any server on this machine.
    expect(await topOf(await newRun(aRun, { ...local, isPractice: true }))).toContain('PRACTICE RUN')
    expect(await topOf(await newRun(aRun, local))).not.toContain('PRACTICE RUN')
  })
})
