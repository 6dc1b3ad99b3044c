const longestMessage = 300

/**
 * Makes text from outside (an API's message, a cell, an error) safe to show: one line of at most `max` characters
 * without control characters, terminal escapes or characters that change the writing direction.
 */
export function cleanMessage(text: string, max = longestMessage): string {
  const clean = text
    .slice(0, max * 8)
    .replace(/\u001b\[[0-9;?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?/g, '')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
  return clean.length > max ? `${clean.slice(0, max - 1).replace(/[\ud800-\udbff]$/, '')}…` : clean
}

/** The message of an unknown thrown value, for people. */
export function messageOf(error: unknown): string {
  try {
    return cleanMessage(error instanceof Error ? String(error.message || error.name) : String(error))
  } catch {
    return 'an error without a message'
  }
}

/** A word as /bin/sh reads it back, in quotes where it needs them. */
export function shellWord(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

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

/** `18:12`, or `Mon 24 Nov, 18:12` when it is not today. Local time. */
export function inClock(at: Date, now: Date): string {
  const time = at.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })
  if (at.toDateString() === now.toDateString()) return time
  return `${at.toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric', month: 'short' })}, ${time}`
}
