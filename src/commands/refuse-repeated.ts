import { UsageError } from '../system/errors.js'

/** yargs makes a list of a flag that is given twice; only those that are lists may be. */
export function refuseRepeated(flags: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(flags)) {
    if (Array.isArray(value) && !['_', 'input', 'i', 'hold', 'limit', 'notify'].includes(name)) {
      throw new UsageError(`--${name} is given twice: give it once.`)
    }
  }
}
