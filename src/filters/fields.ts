import type { Filter } from '../job.js'
import { lacking, refused } from './refusal.js'

type Fields = Readonly<Record<string, unknown>>

/** Leaves only items whose field says one of these, whatever its case: `language` in `fr, de`. */
export function fieldIsOneOf(field: string, values: readonly string[]): Filter {
  const wanted = new Set(values.map((value) => value.trim().toLowerCase()))
  return {
    name: field,
    judge(item) {
      const record = item.record()
      const value = textOf(record[field])
      if (value === null) return lacking(record, [field], 'text', `--${field}`)
      return wanted.has(value.toLowerCase()) ? null : refused(`other_${field}`)
    },
  }
}

/** Leaves only items whose yes-or-no field is as wanted; `reason` is given for the others. */
export function flagIs(field: string, wanted: boolean, flag: string, reason: string): Filter {
  return {
    name: field,
    judge(item) {
      const record = item.record()
      const value = yesOrNo(record[field])
      if (value === null) return lacking(record, [field], 'true or false', flag)
      return value === wanted ? null : refused(reason)
    },
  }
}

/**
 * Leaves only items with this variable, as text. In a CSV that was made from an export, `variables` is flattened to
 * columns like `variables.plan`.
 */
export function variableEquals(name: string, value: string): Filter {
  const field = `variables.${name}`
  return {
    name: field,
    judge(item) {
      const record = item.record()
      const variable = variableOf(record.variables, name) ?? record[field]
      const found = textOf(variable)
      if (found === null) return lacking({ [field]: variable }, [field], 'text', '--variable')
      return found === value ? null : refused('other_variable')
    },
  }
}

function variableOf(variables: unknown, name: string): unknown {
  if (typeof variables !== 'object' || variables === null || !Object.hasOwn(variables, name)) return undefined
  return (variables as Fields)[name]
}

function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value.trim() === '' ? null : value.trim()
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null
}

const yes = new Set(['true', 't', 'yes', 'y', '1'])
const no = new Set(['false', 'f', 'no', 'n', '0'])

function yesOrNo(value: unknown): boolean | null {
  const text = textOf(value)?.toLowerCase() ?? ''
  if (yes.has(text)) return true
  return no.has(text) ? false : null
}
