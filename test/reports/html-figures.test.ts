import { describe, expect, test } from 'vitest'
import { modelBlock } from '../../src/reports/html.js'
import { ticksOf } from '../../src/reports/html-browser-charts.js'
import { BusiestSpan, Durations, Pace } from '../../src/reports/html-figures.js'
import { Timeline } from '../../src/reports/html-timeline.js'
import { limitText, markup, percentText, timeText, waitText } from '../../src/reports/html-words.js'

const startMs = Date.parse('2026-11-22T09:00:00Z')
const dayMs = 86_400_000

describe('durations', () => {
  test('have percentiles, exact below a second', () => {
    const durations = new Durations()
    for (let ms = 1; ms <= 1000; ms++) durations.add(ms)
    expect(durations.summary()).toEqual({ p50: 500, p90: 900, p99: 990, maxMs: 1000, count: 1000 })
  })

  test('above a second are precise to three digits, the longest exactly', () => {
    const durations = new Durations()
    for (const ms of [123_456, 987_654]) durations.add(ms)
    const { p50, maxMs } = durations.summary()
    expect(Math.abs(p50 - 123_456)).toBeLessThan(124)
    expect(maxMs).toBe(987_654)
  })

  test('are counted in bars from the shortest to the longest', () => {
    const durations = new Durations()
    for (const ms of [5, 9, 10, 60]) durations.add(ms)
    expect(durations.bars()).toEqual([
      { fromMs: 5, toMs: 10, times: 2 },
      { fromMs: 10, toMs: 20, times: 1 },
      { fromMs: 20, toMs: 50, times: 0 },
      { fromMs: 50, toMs: 100, times: 1 },
    ])
  })

  test('of nothing are nothing', () => {
    expect(new Durations().summary()).toMatchObject({ p50: 0, maxMs: 0 })
    expect(new Durations().bars()).toEqual([])
  })
})

describe('a timeline', () => {
  test('counts by the second, and widens when there are too many', () => {
    const timeline = new Timeline()
    timeline.executions.push({ fromMs: startMs, toMs: startMs + 100_000_000, end: null })
    for (let second = 0; second < 100_000; second++) timeline.add(startMs + second * 1000, 'succeeded')
    const [succeeded] = timeline.charts(() => null).outcomes
    expect(succeeded!.times.reduce<number>((sum, times) => sum + times!, 0)).toBe(100_000)
  })

  test('finds the busiest span, wherever it begins', () => {
    const span = new BusiestSpan(1000)
    for (const ms of [0, 600, 700, 800, 1599, 1600, 5000]) span.add(startMs + ms)
    expect(span.count).toBe(4)
  })
})

describe('the axis of time', () => {
  function axis(moments: number[], executions: [number, number][], pauses: [number, number][] = []) {
    const timeline = new Timeline()
    for (const ms of moments) timeline.add(startMs + ms, 'calls')
    const span = ([from, to]: [number, number]) => ({ fromMs: startMs + from, toMs: startMs + to, end: null })
    timeline.executions.push(...executions.map(span))
    timeline.pauses.push(...pauses.map(span))
    return timeline.axis()
  }

  test('leaves out the days between a stop and the resuming', () => {
    const { stretches, breaks } = axis(
      [0, 5000, 3 * dayMs],
      [
        [0, 5000],
        [3 * dayMs, 3 * dayMs + 2000],
      ],
    )
    expect(stretches.map(({ buckets }) => buckets)).toEqual([6, 3])
    expect(breaks).toEqual([{ fromMs: startMs + 6000, toMs: startMs + 3 * dayMs, why: 'stopped' }])
  })

  test('leaves out a long pause, and a long wait, but not the wait for a window', () => {
    const { breaks } = axis([0, 50_000, 1_000_000, 2_000_000], [[0, 2_000_000]], [[60_000, 900_000]])
    expect(breaks.map(({ why }) => why)).toEqual(['paused', 'no calls'])
  })

  test('has 500 points at most, however long the run', () => {
    const moments = Array.from({ length: 5000 }, (_, index) => index * 60_000)
    const { stretches, widthMs } = axis(moments, [[0, 5000 * 60_000]])
    expect(widthMs).toBe(1_800_000)
    expect(stretches.reduce((sum, { buckets }) => sum + buckets, 0)).toBeLessThanOrEqual(500)
  })

  test('has its ticks at round times, and the day where it begins', () => {
    const stretches = [
      { x: 0, fromMs: startMs + 30_000, buckets: 300 },
      { x: 310, fromMs: startMs + dayMs, buckets: 60 },
    ]
    expect(ticksOf(stretches, 1000, 4)).toEqual([
      { x: 90, text: '09:02\n22 Nov' },
      { x: 210, text: '09:04' },
      { x: 310, text: '09:00\n23 Nov' },
    ])
  })
})

describe('the pace', () => {
  test('of a minute is what the tightest window lets through', () => {
    const limits = [
      { max: 30, perMs: 1000 },
      { max: 300, perMs: 60_000 },
      { max: 60_000, perMs: dayMs },
    ]
    const pace = new Pace({ limits, caps: [], share: 0.8 })
    expect(pace.perMinute(startMs)).toEqual({ limit: 300, share: 240 })
    const at = new Date(startMs + 1000).toISOString()
    pace.onEvent({ event: 'throttled', at, by: 'lee', host: 'laptop', share: 0.5, limits: null })
    expect(pace.perMinute(startMs)?.share).toBe(240)
    expect(pace.perMinute(startMs + 1000)?.share).toBe(150)
    expect(pace.summary().busiest[1]).toEqual({ perMs: 60_000, count: 0, limit: 300, share: 240 })
  })

  test('without limits is free', () => {
    const pace = new Pace({ limits: 'none', caps: [], share: 1 })
    expect(pace.perMinute(startMs)).toBeNull()
    expect(pace.summary().busiest).toEqual([{ perMs: 60_000, count: 0, limit: null, share: null }])
  })
})

describe('markup', () => {
  test('shows what is put into it as text', () => {
    expect(markup`<p title="${`"'`}">${'<b>&'} ${[1, markup`<i>${null}</i>`]}</p>`.text).toBe(
      '<p title="&#34;&#39;">&#60;b&#62;&#38; 1<i></i></p>',
    )
  })

  test('holds JSON that ends no block', () => {
    const texts = ['</script><!--', '\u2028']
    const block = [...modelBlock(texts, [JSON.stringify(texts)])].join('')
    expect(block).not.toContain('</script><!--')
    expect(JSON.parse(/>([^<]*)</.exec(block)![1]!)).toEqual({ model: texts, rows: [texts] })
  })
})

describe('in words', () => {
  test.each([
    [0, 0, '0%'],
    [1, 100_000, '< 0.1%'],
    [99_999, 100_000, '99.9%'],
    [1, 8, '13%'],
    [1, 40, '2.5%'],
    [5, 5, '100%'],
  ])('%i of %i are %s', (part, whole, text) => expect(percentText(part, whole)).toBe(text))

  test('limits, times and waits are as people say them', () => {
    expect(limitText(300, 60_000)).toBe('300 a minute')
    expect(limitText(40, 6000)).toBe('40 in 6 s')
    expect(timeText(startMs)).toBe('22 Nov 2026, 09:00:00 UTC')
    expect(waitText('window 300/60000')).toBe('Waiting for the limit of 300 a minute')
    expect(waitText('something_new')).toBe('something new')
  })
})
