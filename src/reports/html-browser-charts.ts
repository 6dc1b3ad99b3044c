/// <reference lib="dom" />
import type uPlotType from 'uplot'
import { clockText, dayText, ticksOf } from './html-browser-axis.js'
import { tookText } from './html-browser-rows.js'
import type { Charts } from './html-charts.js'

/** Runs in the page. The charts, drawn anew for each width, scheme of colours, and for paper. */

declare const uPlot: typeof uPlotType

const heightPx = 240
const paperPx = 680
/** From the bottom up: what is rare must not hide behind what is not. */
const stacked = ['failed', 'unknown', 'invalid', 'duplicate', 'filtered', 'succeeded']

type Options = Pick<uPlotType.Options, 'series' | 'scales' | 'axes'> & Partial<uPlotType.Options>
type Values = (number | null)[]

export function drawCharts(charts: Charts, isPaper: boolean): uPlotType[] {
  const look = getComputedStyle(isPaper ? document.querySelector('.paper')! : document.documentElement)
  const color = (name: string) => look.getPropertyValue(`--${name}`).trim()
  return [outcomesChart(), callsChart(), answersChart()]

  function outcomesChart(): uPlotType {
    const statuses = charts.outcomes.toSorted((a, b) => stacked.indexOf(a.status) - stacked.indexOf(b.status))
    const sums: Values[] = []
    for (const { times } of statuses)
      sums.push(times.map((count, index) => (count === null ? null : count + (sums.at(-1)?.[index] ?? 0))))
    const bars = uPlot.paths.bars!({ size: [0.9, 48] })
    // The tallest is drawn first, and the others over it.
    const series = statuses.map(({ status, times }) => ({
      label: status,
      stroke: color(status),
      fill: color(status),
      width: 0,
      paths: bars,
      points: { show: false },
      value: (_: uPlotType, __: number, ___: number, index: number | null) => shownAt(times, index),
    }))
    return plot('outcomes-chart', [charts.x, ...sums.toReversed()], {
      series: [timeSeries(), ...series.toReversed()],
      scales: { x: timeScale(), y: { range: (_, __, max) => [0, Math.max(1, max * 1.05)] } },
      axes: [timeAxis(), countAxis()],
      hooks: { drawClear: [drawBreaks] },
    })
  }

  function callsChart(): uPlotType {
    const line = (label: string, name: string, values: Values, dash: number[] = []) => ({
      label,
      stroke: color(name),
      width: dash.length === 0 ? 2 : 1.5,
      dash,
      points: { show: false },
      value: (_: uPlotType, __: number, ___: number, index: number | null) => shownAt(values, index),
    })
    const isLimited = charts.limit.some((limit) => limit !== null)
    const calls = line('calls a minute', 'succeeded', charts.calls)
    if (charts.calls.length < 4) calls.points.show = true
    return plot('calls-chart', [charts.x, charts.calls, ...(isLimited ? [charts.share, charts.limit] : [])], {
      series: [
        timeSeries(),
        calls,
        ...(isLimited
          ? [line('our share', 'quiet', charts.share, [6, 4]), line('limit', 'text', charts.limit, [2, 3])]
          : []),
      ],
      scales: { x: timeScale(), y: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] } },
      axes: [timeAxis(), countAxis()],
      hooks: { drawClear: [drawBreaks] },
    })
  }

  function answersChart(): uPlotType {
    const { bars } = charts
    const times = bars.map((bar) => bar.times)
    const name = (index: number | null) =>
      index === null ? '–' : `${tookText(bars[index]!.fromMs)} to ${tookText(bars[index]!.toMs)}`
    return plot('answers-chart', [bars.map((_, index) => index), times], {
      series: [
        { label: 'Answered within', value: (_, __, ___, index) => name(index) },
        {
          label: 'calls',
          stroke: color('succeeded'),
          fill: color('succeeded'),
          width: 0,
          paths: uPlot.paths.bars!({ size: [0.9, 90] }),
          points: { show: false },
          value: (_, __, ___, index) => shownAt(times, index ?? null),
        },
      ],
      scales: {
        x: { time: false, range: [-0.5, Math.max(0, bars.length - 1) + 0.5] },
        y: { range: (_, __, max) => [0, Math.max(1, max * 1.05)] },
      },
      axes: [
        {
          ...lines(),
          grid: { show: false },
          splits: () => bars.map((_, index) => index),
          values: (u) =>
            bars.map(({ toMs }, index) =>
              u.width / bars.length > 50 || index % 2 === 0 ? `< ${tookText(toMs)}` : '',
            ),
        },
        countAxis(),
      ],
    })
  }

  function plot(id: string, values: Values[], options: Options): uPlotType {
    const place = document.getElementById(id)!
    const whole = {
      ...options,
      width: isPaper ? paperPx : place.clientWidth,
      height: heightPx,
      cursor: { drag: { x: false, y: false }, points: { show: false } },
      legend: { live: !isPaper },
    }
    return new uPlot(whole as uPlotType.Options, values as uPlotType.AlignedData, place)
  }

  function lines() {
    return {
      stroke: color('quiet'),
      font: '12px system-ui, sans-serif',
      grid: { stroke: color('line'), width: 1 },
      ticks: { stroke: color('line'), width: 1, size: 5 },
    }
  }

  function countAxis() {
    return {
      ...lines(),
      size: 56,
      values: (_: uPlotType, splits: number[]) =>
        splits.map((count) => (Number.isInteger(count) ? count.toLocaleString('en-US') : '')),
    }
  }

  function timeScale() {
    const last = charts.stretches.at(-1)!
    return { time: false, range: [-0.6, last.x + last.buckets - 0.4] as [number, number] }
  }

  function timeAxis() {
    const ticks = (u: uPlotType) =>
      ticksOf(charts.stretches, charts.widthMs, Math.max(2, Math.floor(u.width / 90)))
    return {
      ...lines(),
      grid: { show: false },
      size: 46,
      splits: (u: uPlotType) => ticks(u).map(({ x }) => x),
      values: (u: uPlotType) => ticks(u).map(({ text }) => text),
    }
  }

  function timeSeries() {
    return {
      label: 'UTC',
      value: (_: uPlotType, __: number, ___: number, index: number | null) => {
        const ms = index === null ? null : charts.atMs[index]
        return ms == null ? '–' : `${dayText(ms)}, ${clockText(ms, charts.widthMs)}`
      },
    }
  }

  /** A dashed line where time was left out. */
  function drawBreaks(u: uPlotType): void {
    const { ctx, bbox } = u
    ctx.save()
    ctx.strokeStyle = color('quiet')
    ctx.setLineDash([4, 4])
    for (const [index, { x }] of charts.stretches.entries()) {
      if (index === 0) continue
      const before = charts.stretches[index - 1]!
      const middle = u.valToPos((before.x + before.buckets - 1 + x) / 2, 'x', true)
      ctx.beginPath()
      ctx.moveTo(middle, bbox.top)
      ctx.lineTo(middle, bbox.top + bbox.height)
      ctx.stroke()
    }
    ctx.restore()
  }
}

function shownAt(values: Values, index: number | null): string {
  const value = index === null ? null : values[index]
  return value == null ? '–' : Math.round(value).toLocaleString('en-US')
}
