import { Environment } from '@marcbachmann/cel-js'
import { messageOf } from '../message.js'
import { UsageError } from '../usage-error.js'
import { type Filter, refused } from './filter.js'

/**
 * Leaves only items for which an expression in CEL, the Common Expression Language, is true. The fields of the record
 * are its variables: `language == "fr" && variables.plan != "gold"`. It can compute nothing but its answer. An item
 * on whose record it fails (a field is missing, text is compared with a number) is `invalid`. Throws a UsageError
 * when it is no expression.
 */
export function where(expression: string): Filter {
  const evaluate = parsed(expression)
  return {
    name: 'where',
    judge(item) {
      try {
        const answer = evaluate(item.record() as Record<string, unknown>)
        if (typeof answer === 'boolean') return answer ? null : refused('where')
        return { status: 'invalid', reason: 'bad_row', message: '--where is neither true nor false' }
      } catch (error) {
        return { status: 'invalid', reason: 'bad_row', message: `--where: ${firstLine(error)}` }
      }
    },
  }
}

function parsed(expression: string): (record: Record<string, unknown>) => unknown {
  try {
    return new Environment({ unlistedVariablesAreDyn: true }).parse(expression)
  } catch (error) {
    throw new UsageError(
      `--where: ${firstLine(error)} in ${expression}. Write it like \`language == "fr" && is_escalated == false\`.`,
    )
  }
}

/** The rest of an error of the library draws the place in the expression over several lines. */
function firstLine(error: unknown): string {
  return messageOf(error instanceof Error ? error.message.split('\n')[0] : error)
}
