import type { ZodError } from 'zod'
import { cleanMessage } from './text.js'

/** The first issue that a schema found, on one line: `settings.share: expected number, found nothing`. */
export function faultIn({ issues }: ZodError): string {
  const [first] = issues
  const where = first?.path.length ? `${first.path.map(String).join('.')}: ` : ''
  const what = (first?.message ?? '').replace(/^Invalid input: /, '')
  return cleanMessage(`${where}${what.replace('received undefined', 'found nothing')}`)
}

/**
 * The run cannot start or continue, and the operator can fix it: the message says where, what is wrong and what to do
 * next, in one sentence or two. Ends with exit code 2 and no stack.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
