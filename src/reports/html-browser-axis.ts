/** Runs in the page. Ticks for an axis that leaves out where nothing happened. */

interface Stretch {
  x: number
  fromMs: number
  buckets: number
}

export interface Tick {
  x: number
  text: string
}

const seconds = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
]
const dayMs = 86_400_000

/** Ticks at round times, at most about so many; the day stands where it begins and behind each break. */
export function ticksOf(stretches: readonly Stretch[], widthMs: number, ticksMax: number): Tick[] {
  const wholeMs = stretches.reduce((sum, { buckets }) => sum + buckets * widthMs, 0)
  const stepMs =
    (seconds.find((step) => wholeMs / (step * 1000) <= ticksMax) ??
      Math.ceil(wholeMs / dayMs / ticksMax) * 86_400) * 1000
  const ticks: Tick[] = []
  const last = stretches.at(-1)
  const apart = last === undefined ? 0 : (last.x + last.buckets) / ticksMax / 2
  let day = ''
  for (const { x, fromMs, buckets } of stretches) {
    const toMs = fromMs + buckets * widthMs
    const round: number[] = []
    for (let ms = Math.ceil(fromMs / stepMs) * stepMs; ms < toMs; ms += stepMs) round.push(ms)
    for (const ms of round.length === 0 ? [fromMs] : round) {
      const tickX = x + (ms - fromMs) / widthMs
      const before = ticks.at(-1)
      if (before !== undefined && tickX - before.x < apart) continue
      const today = dayText(ms)
      ticks.push({ x: tickX, text: clockText(ms, stepMs) + (today === day ? '' : `\n${today}`) })
      day = today
    }
  }
  return ticks
}

/** `15:04`, with seconds where ticks are closer than a minute. */
export function clockText(ms: number, stepMs: number): string {
  return new Date(ms).toISOString().slice(11, stepMs < 60_000 ? 19 : 16)
}

/** `22 Nov`. */
export function dayText(ms: number): string {
  return new Date(ms).toUTCString().slice(5, 11)
}
