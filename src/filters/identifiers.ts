import type { Filter, JobFlag, JobFlags } from '../job.js'
import { identifierOf, identifierTypes } from '../sources/identifier.js'
import { UsageError } from '../system/errors.js'
import { refused } from './refusal.js'

/** The flags of a job whose items are identifiers of end users. */
export const identifierFlags = {
  'identifier-type': { describe: `What the identifiers are: ${identifierTypes.join(', ')}` },
  'type-column': { describe: 'The column that says it of each row, instead' },
  variable: { describe: 'With variable_match: the name of the variable' },
} satisfies Readonly<Record<string, JobFlag>>

/** The columns that may hold them. */
export function identifierColumns(flags: JobFlags): readonly string[] {
  const type = flags['identifier-type']
  return [...(type === undefined ? [] : [type]), 'identifier', 'value']
}

/** The column in which a list excludes a row, with the reason. */
export const leaveColumn = 'leave'

/** Excludes rows without a usable identifier, and rows that exclude themselves. Throws a UsageError that names a flag. */
export function identifierFilters(flags: JobFlags): Filter[] {
  const type = flags['identifier-type']
  const known = identifierTypes.join(', ')
  if ((type === undefined) === (flags['type-column'] === undefined)) {
    throw new UsageError(
      `say what the identifiers are: --identifier-type ${known.replaceAll(', ', '|')}, or --type-column for a column that says it. One of the two.`,
    )
  }
  if (type !== undefined && !(identifierTypes as readonly string[]).includes(type))
    throw new UsageError(`--identifier-type ${type}: there are ${known}.`)
  if (type === 'variable_match' && flags.variable === undefined)
    throw new UsageError('--identifier-type variable_match needs --variable, the name of the variable.')
  return [
    {
      name: 'identifier',
      judge(item) {
        const identifier = identifierOf(item, flags)
        if (!('problem' in identifier)) return null
        return {
          status: 'invalid',
          reason: identifier.isOfId ? 'bad_id' : 'bad_row',
          message: identifier.problem,
        }
      },
    },
    {
      name: 'leave',
      judge(item) {
        const reason = item.record()[leaveColumn]
        return typeof reason === 'string' && reason !== '' ? refused(reason) : null
      },
    },
  ]
}
