/// <reference lib="dom" />
import { drawCharts } from './html-browser-charts.js'
import { openTable } from './html-browser-table.js'

/** Runs in the page: brings it to life, and keeps it fit for width, colours and paper. */

const table = openTable()
const chartBlock = document.getElementById('charts')
if (chartBlock !== null) {
  const charts = JSON.parse(chartBlock.textContent)
  const paper = matchMedia('print')
  let drawn = drawCharts(charts, paper.matches)
  const draw = (isPaper: boolean) => {
    for (const chart of drawn) chart.destroy()
    drawn = drawCharts(charts, isPaper)
  }
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
}
addEventListener('beforeprint', table.print)
addEventListener('afterprint', table.unprint)
matchMedia('print').addEventListener('change', ({ matches }) => (matches ? table.print() : table.unprint()))
for (const time of document.querySelectorAll('time'))
  time.title = `${new Date(time.dateTime).toLocaleString()}, your time`
