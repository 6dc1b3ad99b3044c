/**
 * Whether a word that was typed could be an API key in the wrong place: long, and neither a path, a file with an
 * ending, an address, nor words and numbers.
 */
export function looksLikeSecret(text: string): boolean {
  const isPath = /^(\.{1,2}|~|[a-z]:)[/\\]|^[/\\].*[/\\]/i.test(text)
  const isOfKeys = text.length >= 16 && /^[\w+/=~.-]+$/.test(text) && !isPath
  return isOfKeys && !/\.[a-z]{1,7}$/i.test(text) && !text.split(/[-_./]+/).every(isWord)
}

const isWord = (part: string) => /^([a-z]{0,15}|[A-Z]{1,15}|\d{1,4}|[a-z]{1,3}\d{1,2})$/.test(part)

/** Whether a part of a host's name has letters and digits at random, as people do not name hosts. */
export function isRandom(label: string): boolean {
  return label.length >= 20 && (label.match(/[a-z](?=\d)|\d(?=[a-z])/gi) ?? []).length >= 4
}

/** A flag and its value as an error names them. */
export function named(flag: string, value: string): string {
  return looksLikeSecret(value)
    ? `${flag} (its value is not shown, as it could be a key)`
    : `${flag} ${value}`
}

/** A word as an error names it. */
export function shown(word: string): string {
  return looksLikeSecret(word) ? 'a word that is not shown, as it could be a key' : word
}
