import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { closeReports, describeInBrowser, openReport } from './browser.js'
import { ended, makeRun, notFound } from './made-run.js'

const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-html-table-'))
afterAll(() => rmSync(directory, { recursive: true }))
afterEach(closeReports)

const visibleRows = (page: Page) => page.locator('#rows tr:not([aria-hidden]):not([hidden])')
const shown = (page: Page) => page.locator('#shown').innerText()
const column = (page: Page, name: string) => visibleRows(page).locator(`.column-${name}`).allInnerTexts()

describeInBrowser('the table of 100,000 items', () => {
  let file: string
  beforeAll(async () => {
    file = await makeRun(join(directory, 'large'), (run) => {
      run.start()
      for (let item = 0; item < 100_000; item++) {
        run.ms += 10
        if (item % 1000 === 500) run.settle(notFound, 20)
        else run.settle(ended, 20 + ((item * 7919) % 1000))
      }
      run.event({ event: 'finished', exitCode: 3 })
    })
  })

  test('has all of them, and only those in the page that can be seen', async () => {
    expect(statSync(file).size).toBeLessThan(15_000_000)
    const page = await openReport(file)
    expect(await shown(page)).toBe('100,000 of 100,000 items')
    expect(await page.locator('tr').count()).toBeLessThan(120)
    await page.locator('#scroller').evaluate((element) => element.scrollTo(0, 1e9))
    await expect.poll(async () => (await column(page, 'id')).at(-1)).toBe('66f2a91c4be07d3f0001869f')
    await page.locator('#scroller').evaluate((element) => element.scrollTo(0, element.scrollHeight / 2))
    await expect.poll(async () => (await column(page, 'id'))[0]).toMatch(/^66f2a91c4be07d3f0000c3/)
    expect(await page.locator('tr').count()).toBeLessThan(120)
  })

  test('is searched by every word, in any letters, over ID, reason and message', async () => {
    const page = await openReport(file)
    await page.getByLabel('Search').fill('NOT FOUND')
    expect(await shown(page)).toBe('100 of 100,000 items')
    expect(new Set(await column(page, 'status'))).toEqual(new Set(['failed']))
    await page.getByLabel('Search').fill('66f2a91c4be07d3f0001869f')
    expect(await column(page, 'id')).toEqual(['66f2a91c4be07d3f0001869f'])
    await page.getByLabel('Search').fill('nothing like this')
    expect(await shown(page)).toBe('0 of 100,000 items')
    expect(await visibleRows(page).count()).toBe(0)
  })

  test('is filtered by status, and by a group of failures', async () => {
    const page = await openReport(file)
    const status = (name: string) => page.getByRole('checkbox', { name })
    await status('succeeded 99,900').uncheck()
    expect(await shown(page)).toBe('100 of 100,000 items')
    await status('failed 100').uncheck()
    expect(await shown(page)).toBe('0 of 100,000 items')
    await status('failed 100').check()
    await page.getByRole('button', { name: 'Show in the table' }).click()
    expect(await page.getByLabel('Search').inputValue()).toBe('not_found')
    expect(await shown(page)).toBe('100 of 100,000 items')
  })

  test('is sorted by any column, up and down, and says so', async () => {
    const page = await openReport(file)
    const took = page.getByRole('columnheader', { name: 'Took' })
    await took.getByRole('button').click()
    expect(await took.getAttribute('aria-sort')).toBe('ascending')
    expect((await column(page, 'took'))[0]).toBe('20 ms')
    await took.getByRole('button').click()
    expect(await took.getAttribute('aria-sort')).toBe('descending')
    expect((await column(page, 'took'))[0]).toBe('1 s')
    expect(await page.locator('th[aria-sort]').count()).toBe(1)
    await page.getByRole('columnheader', { name: 'Status' }).getByRole('button').click()
    expect((await column(page, 'line'))[0]).toBe('2 in stale.csv')
  })

  test('works by keyboard: head, rows, one item and back', async () => {
    const page = await openReport(file)
    await page.getByRole('columnheader', { name: 'Status' }).getByRole('button').focus()
    await page.keyboard.press('Enter')
    await page.keyboard.press('Space')
    expect((await column(page, 'status'))[0]).toBe('failed')
    await visibleRows(page).first().getByRole('button').focus()
    for (let step = 0; step < 60; step++) await page.keyboard.press('ArrowDown')
    const focused = () => page.evaluate(() => document.activeElement?.textContent)
    expect(await focused()).toBe('66f2a91c4be07d3f0000ec54')
    await page.keyboard.press('Enter')
    const item = page.getByRole('dialog', { name: '66f2a91c4be07d3f0000ec54' })
    expect(await item.innerText()).toContain('Conversation was not found')
    await page.keyboard.press('Escape')
    expect(await item.isVisible()).toBe(false)
    expect(await focused()).toBe('66f2a91c4be07d3f0000ec54')
  })
})

describeInBrowser('the table of still more items', () => {
  test('has what needs a look, and points to the CSV for the rest', async () => {
    const file = await makeRun(join(directory, 'larger'), (run) => {
      run.start()
      for (let item = 0; item < 100_001; item++) run.settle(item % 10_000 === 3 ? notFound : ended, 20)
      run.event({ event: 'finished', exitCode: 3 })
    })
    const page = await openReport(file)
    expect(await shown(page)).toBe('10 of 10 items')
    expect(await page.locator('#items-section').innerText()).toContain('report.csv has every item.')
    expect(await page.locator('.totals').innerText()).toMatch(/succeeded\s+99,991/)
  })
})

/** Text as somebody might send it who means no good. */
const hostileTexts = [
  `</script><script>alert('script')</script>`,
  '<img src=x onerror=alert(1)>',
  `"><svg onload=alert(2)>`,
  ']]><!-- <script> <!--',
  '{{constructor.constructor("alert(3)")()}}',
  '&lt;b&gt;&amp;',
  'line\u2028paragraph\u2029end',
  'half \ud83d of one',
  'right \u202egnp.exe\u202c left',
  `quotes ' " \` \\ \\u003c`,
]

describeInBrowser('text from outside', () => {
  test('is shown as text, wherever it stands', async () => {
    const file = await makeRun(
      join(directory, 'hostile'),
      (run) => {
        run.start()
        for (const text of hostileTexts) {
          const failed = { status: 'failed', reason: 'rejected', httpStatus: 400, message: text } as const
          run.settle(failed, 20, { id: text, source: text })
        }
        run.event({ event: 'stopped', exitCode: 4, because: hostileTexts[0]! })
      },
      {
        by: hostileTexts[0]!,
        host: hostileTexts[1]!,
        run: hostileTexts[2]!,
        job: `/jobs/${hostileTexts[1]!}.ts`,
        jobFlags: { where: hostileTexts[2]! },
        input: [{ name: hostileTexts[0]!, path: '/in', sha256: 'ab', bytes: 1 }],
      },
    )
    const page = await openReport(file)
    await page.getByRole('columnheader', { name: 'Line' }).getByRole('button').focus()
    expect(await visibleRows(page).locator('.column-message').allTextContents()).toEqual(hostileTexts)
    expect(await visibleRows(page).locator('.column-id').allTextContents()).toEqual(hostileTexts)
    expect(await page.locator('h1').innerText()).toContain('<img src=x onerror=alert(1)>')
    expect(await page.locator('.verdict').innerText()).toContain(hostileTexts[0])
    expect(await page.locator('#details ~ table').last().innerText()).toContain(hostileTexts[0])
    expect(await page.locator('img, svg:not(.bar):not(.wait), b b').count()).toBe(0)
    expect(await page.locator('script').count()).toBe(2)
    await visibleRows(page).getByRole('button').first().click()
    expect(await page.locator('#item-id').textContent()).toBe(hostileTexts[0])
  })

  test('that is huge is cut', async () => {
    const file = await makeRun(join(directory, 'huge'), (run) => {
      run.start()
      const failed = {
        status: 'invalid',
        reason: 'bad_id',
        httpStatus: null,
        message: 'm'.repeat(100_000),
      } as const
      run.settle(failed, 0, { id: 'i'.repeat(1_000_000) })
      run.event({ event: 'finished', exitCode: 3 })
    })
    expect(statSync(file).size).toBeLessThan(300_000)
    const page = await openReport(file)
    expect((await column(page, 'id'))[0]).toHaveLength(300)
  })
})
