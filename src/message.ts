const longestMessage = 300

/**
 * Makes text from outside (an API's message, a cell, an error) fit to be shown: one line of at most
 * `max` characters without control characters, terminal escapes or characters that turn the writing direction.
 */
export function cleanMessage(text: string, max = longestMessage): string {
  const clean = text
    .slice(0, max * 8)
    .replace(/\u001b\[[0-9;?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?/g, '')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
  return clean.length > max ? `${clean.slice(0, max - 1).replace(/[\ud800-\udbff]$/, '')}…` : clean
}

/** What an unknown thrown value says, for people. */
export function messageOf(error: unknown): string {
  try {
    return cleanMessage(error instanceof Error ? String(error.message || error.name) : String(error))
  } catch {
    return 'something that cannot be put into words'
  }
}
