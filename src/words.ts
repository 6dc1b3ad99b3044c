import type { RateWindow } from './pacing/rate-window.js'

/** Numbers and times as people read them. */

/** `39,988`. */
export function inDigits(number: number): string {
  return number.toLocaleString('en-US')
}

/** `1 conversation`, `39,988 conversations`. */
export function counted(number: number, noun: string): string {
  return `${inDigits(number)} ${noun}${number === 1 ? '' : 's'}`
}

/** `45 s`, `12 min 5 s`, `2 h 46 min`, `3 d 4 h`. */
export function inTime(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ]
  const first = parts.findIndex(([number]) => number > 0)
  if (first === -1) return '0 s'
  return parts
    .slice(first, first + 2)
    .filter(([number]) => number > 0)
    .map(([number, unit]) => `${number} ${unit}`)
    .join(' ')
}

/** `30/s`, `40/6s`: as `--limit` takes it. */
export function inLimit({ max, perMs }: RateWindow): string {
  const units: [number, string][] = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'm'],
    [1000, 's'],
    [1, 'ms'],
  ]
  const [unitMs, unit] = units.find(([ms]) => perMs % ms === 0)!
  return `${max}/${perMs === unitMs ? '' : perMs / unitMs}${unit}`
}

/** `18:12`, or `Mon 24 Nov, 18:12` when it is not today. Local time. */
export function inClock(at: Date, now: Date): string {
  const time = at.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })
  if (at.toDateString() === now.toDateString()) return time
  return `${at.toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric', month: 'short' })}, ${time}`
}
