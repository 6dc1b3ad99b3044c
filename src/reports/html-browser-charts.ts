/// <reference lib="dom" />
import uPlot from 'uplot'
import { inDigits } from '../system/text.js'
import type { PageModel } from './html-model.js'
import { spanText } from './html-words.js'

/** Runs in the page. The charts, drawn again for each width, color scheme, and for paper. */

const heightPx = 240
const paperPx = 680
/** From the bottom up: what is rare must not hide behind what is not. */
const stacked = ['failed', 'unknown', 'invalid', 'duplicate', 'filtered', 'succeeded']

type Values = (number | null)[]
type Scale = [from: number, to: number]

export function drawCharts({ charts, answerBars }: PageModel, isPaper: boolean): uPlot[] {
  const scheme = getComputedStyle(isPaper ? document.querySelector('.paper')! : document.documentElement)
  const color = (name: string) => scheme.getPropertyValue(`--${name}`).trim()
  return [outcomesChart(), callsChart(), answersChart()]

  function outcomesChart(): uPlot {
    const statuses = charts.outcomes.toSorted((a, b) => stacked.indexOf(a.status) - stacked.indexOf(b.status))
    const sums: Values[] = []
    for (const { times } of statuses)
      sums.push(times.map((count, index) => (count === null ? null : count + (sums.at(-1)?.[index] ?? 0))))
    const series = statuses.map(({ status, times }) => bars(status, status, times, 48))
    // The tallest bars are drawn first, and the others over them.
    return overTime('outcomes-chart', sums.reverse(), series.reverse())
  }

  function callsChart(): uPlot {
    const line = (label: string, name: string, values: Values, width: number, dash: number[]) => {
      const points = { show: label === 'calls a minute' && values.length < 4 }
      return { label, stroke: color(name), width, dash, points, value: valueIn(values) }
    }
    const lines = [line('calls a minute', 'succeeded', charts.calls, 2, [])]
    const isLimited = charts.limit.some((limit) => limit !== null)
    if (!isLimited) return overTime('calls-chart', [charts.calls], lines)
    lines.push(
      line('our share', 'quiet', charts.share, 1.5, [6, 4]),
      line('limit', 'text', charts.limit, 1.5, [2, 3]),
    )
    return overTime('calls-chart', [charts.calls, charts.share, charts.limit], lines)
  }

  function answersChart(): uPlot {
    const times = answerBars.map((bar) => bar.times)
    const x = answerBars.map((_, index) => index)
    const name = (index: number | null | undefined) => {
      const bar = answerBars[index ?? -1]
      return bar === undefined ? '–' : `${spanText(bar.fromMs)} to ${spanText(bar.toMs)}`
    }
    const ends = (u: uPlot) =>
      answerBars.map(({ toMs }, index) =>
        u.width / answerBars.length > 50 || index % 2 === 0 ? `< ${spanText(toMs)}` : '',
      )
    return plot(
      'answers-chart',
      [x, times],
      [
        { label: 'Answered within', value: (_, __, ___, index) => name(index) },
        bars('calls', 'succeeded', times, 90),
      ],
      [-0.5, Math.max(0, times.length - 1) + 0.5],
      { splits: () => x, values: ends },
    )
  }

  function bars(label: string, name: string, times: Values, widthMaxPx: number): uPlot.Series {
    const paths = uPlot.paths.bars!({ size: [0.9, widthMaxPx] })
    const [stroke, fill] = [color(name), color(name)]
    return { label, stroke, fill, width: 0, paths, points: { show: false }, value: valueIn(times) }
  }

  function overTime(id: string, columns: Values[], series: uPlot.Series[]): uPlot {
    const last = charts.stretches.at(-1)!
    const ticks = (u: uPlot) =>
      ticksOf(charts.stretches, charts.widthMs, Math.max(2, Math.floor(u.width / 90)))
    const timeAt = (index: number | null | undefined) => {
      const ms = charts.atMs[index ?? -1]
      return ms == null ? '–' : `${dayText(ms)}, ${clockText(ms, charts.widthMs)}`
    }
    return plot(
      id,
      [charts.x, ...columns],
      [{ label: 'UTC', value: (_, __, ___, index) => timeAt(index) }, ...series],
      [-0.6, last.x + last.buckets - 0.4],
      {
        size: 46,
        splits: (u) => ticks(u).map(({ x }) => x),
        values: (u) => ticks(u).map(({ text }) => text),
      },
      drawBreaks,
    )
  }

  function plot(
    id: string,
    columns: Values[],
    series: uPlot.Series[],
    xRange: Scale,
    xAxis: uPlot.Axis,
    drawClear: (u: uPlot) => void = () => {},
  ): uPlot {
    const place = document.getElementById(id)!
    const lines: uPlot.Axis = {
      stroke: color('quiet'),
      font: '12px system-ui, sans-serif',
      grid: { stroke: color('line'), width: 1 },
      ticks: { stroke: color('line'), width: 1, size: 5 },
    }
    const counts = (_: uPlot, splits: number[]) =>
      splits.map((count) => (Number.isInteger(count) ? inDigits(count) : ''))
    const options: uPlot.Options = {
      width: isPaper ? paperPx : place.clientWidth,
      height: heightPx,
      series,
      scales: {
        x: { time: false, range: xRange },
        y: { range: (_, __, max) => [0, Math.max(1, max * 1.08)] },
      },
      axes: [
        { ...lines, grid: { show: false }, ...xAxis },
        { ...lines, size: 56, values: counts },
      ],
      cursor: { drag: { x: false, y: false }, points: { show: false } },
      legend: { live: !isPaper },
      hooks: { drawClear: [drawClear] },
    }
    return new uPlot(options, columns as uPlot.AlignedData, place)
  }

  /** A dashed line where the axis leaves out time. */
  function drawBreaks({ ctx, bbox, valToPos }: uPlot): void {
    ctx.save()
    ctx.strokeStyle = color('quiet')
    ctx.setLineDash([4, 4])
    for (const [index, { x }] of charts.stretches.entries()) {
      const before = charts.stretches[index - 1]
      if (before === undefined) continue
      const middle = valToPos((before.x + before.buckets - 1 + x) / 2, 'x', true)
      ctx.beginPath()
      ctx.moveTo(middle, bbox.top)
      ctx.lineTo(middle, bbox.top + bbox.height)
      ctx.stroke()
    }
    ctx.restore()
  }
}

/** What the legend says of a column under the pointer. */
function valueIn(values: Values): uPlot.Series.Value {
  return (_, __, ___, index) => {
    const value = values[index ?? -1]
    return value == null ? '–' : inDigits(Math.round(value))
  }
}

const stepsS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400]

/** Ticks at round times, about `ticksMax` at most; the day is on the first tick of it. */
export function ticksOf(
  stretches: PageModel['charts']['stretches'],
  widthMs: number,
  ticksMax: number,
): { x: number; text: string }[] {
  const allMs = stretches.reduce((sum, { buckets }) => sum + buckets * widthMs, 0)
  const days = Math.ceil(allMs / 86_400_000 / ticksMax)
  const stepMs = (stepsS.find((step) => allMs / (step * 1000) <= ticksMax) ?? days * 86_400) * 1000
  const last = stretches.at(-1)
  const apart = last === undefined ? 0 : (last.x + last.buckets) / ticksMax / 2
  const ticks: { x: number; text: string }[] = []
  let day = ''
  for (const { x, fromMs, buckets } of stretches) {
    const firstMs = Math.ceil(fromMs / stepMs) * stepMs
    const round = Array.from(
      { length: Math.max(0, Math.ceil((fromMs + buckets * widthMs - firstMs) / stepMs)) },
      (_, index) => firstMs + index * stepMs,
    )
    for (const ms of round.length === 0 ? [fromMs] : round) {
      const tickX = x + (ms - fromMs) / widthMs
      const before = ticks.at(-1)
      if (before !== undefined && tickX - before.x < apart) continue
      ticks.push({ x: tickX, text: clockText(ms, stepMs) + (dayText(ms) === day ? '' : `\n${dayText(ms)}`) })
      day = dayText(ms)
    }
  }
  return ticks
}

/** `15:04`, with seconds where ticks are closer than a minute. */
function clockText(ms: number, stepMs: number): string {
  return new Date(ms).toISOString().slice(11, stepMs < 60_000 ? 19 : 16)
}

/** `22 Nov`. */
function dayText(ms: number): string {
  return new Date(ms).toUTCString().slice(5, 11)
}
