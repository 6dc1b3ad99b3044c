import { type Filter, lacking, refused } from './filter.js'

type Fields = Readonly<Record<string, unknown>>

/** Leaves only items whose field says one of these, whatever its case: `language` in `fr, de`. */
export function fieldIsOneOf(field: string, values: readonly string[]): Filter {
  const wanted = new Set(values.map((value) => value.trim().toLowerCase()))
  return {
    name: field,
    judge(item) {
      const value = textOf(item.record()[field])
      if (value === null) return lacking(field, `--${field}`)
      return wanted.has(value.toLowerCase()) ? null : refused(`other_${field}`)
    },
  }
}

/** Leaves only items whose yes-or-no field is as wanted; `reason` is said of the others. */
export function flagIs(field: string, wanted: boolean, flag: string, reason: string): Filter {
  return {
    name: field,
    judge(item) {
      const value = yesOrNo(item.record()[field])
      if (value === null) return lacking(field, flag)
      return value === wanted ? null : refused(reason)
    },
  }
}

/**
 * Leaves only items with this variable, as text. In a CSV that was made from an export, `variables` is flattened to
 * columns like `variables.plan`.
 */
export function variableEquals(name: string, value: string): Filter {
  return {
    name: `variables.${name}`,
    judge(item) {
      const record = item.record()
      const found = textOf((record.variables as Fields | undefined)?.[name] ?? record[`variables.${name}`])
      if (found === null) return lacking(`variable ${name}`, '--variable')
      return found === value ? null : refused('other_variable')
    },
  }
}

function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value.trim() === '' ? null : value.trim()
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null
}

function yesOrNo(value: unknown): boolean | null {
  switch (textOf(value)?.toLowerCase()) {
    case 'true':
    case 't':
    case 'yes':
    case '1':
      return true
    case 'false':
    case 'f':
    case 'no':
    case '0':
      return false
    default:
      return null
  }
}
