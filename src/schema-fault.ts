import type { ZodError } from 'zod'
import { cleanMessage } from './message.js'

/** The first thing that is wrong with what a schema was held against, on one line: `settings.share: expected number, found nothing`. */
export function faultIn({ issues }: ZodError): string {
  const [first] = issues
  const where = first?.path.length ? `${first.path.map(String).join('.')}: ` : ''
  const what = (first?.message ?? '').replace(/^Invalid input: /, '')
  return cleanMessage(`${where}${what.replace('received undefined', 'found nothing')}`)
}
