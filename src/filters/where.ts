import { Environment } from '@marcbachmann/cel-js'
import type { Refusal } from '../item.js'
import type { Filter } from '../job.js'
import { UsageError } from '../system/errors.js'
import { cleanMessage, messageOf } from '../system/text.js'
import { refused } from './refusal.js'

type Fields = Readonly<Record<string, unknown>>

/**
 * Leaves only items for which an expression in CEL, the Common Expression Language, is true. The fields of the record
 * are its variables: `language == "fr" && variables.plan != "gold"`. It can compute nothing but its answer. An item
 * on whose record it fails (a field is missing, text is compared with a number) is `invalid`. Throws a UsageError
 * when it is no expression, or one that can never be true or false.
 */
export function where(expression: string): Filter {
  const evaluate = parsed(expression)
  return {
    name: 'where',
    judge(item) {
      try {
        const answer = evaluate(new Variables(item.record()))
        if (typeof answer === 'boolean') return answer ? null : refused('where')
        return unanswered(`gives ${kindOf(answer)}, neither true nor false`)
      } catch (error) {
        return unanswered(firstLine(error))
      }
    },
  }
}

/** Deep enough for people; the library's own limits let an expression overflow the stack. */
const limits = { maxAstNodes: 1000, maxDepth: 50 }
const charactersMax = 10_000

function parsed(expression: string): (variables: Variables) => unknown {
  if (expression.length > charactersMax)
    throw refusal(`is longer than ${charactersMax} characters`, expression)
  try {
    const evaluate = environment().parse(expression)
    const { valid, type = '', error } = evaluate.check()
    if (!valid) throw error
    if (type !== 'bool' && type !== 'dyn') throw new Error(`gives ${type}, neither true nor false`)
    return (variables) => evaluate(variables as unknown as Record<string, unknown>)
  } catch (error) {
    throw refusal(firstLine(error), expression)
  }
}

/** In CEL as it is, `is_test_user != true` is true of the text `True` of a CSV: that would take what is to be left out. */
function environment(): Environment {
  const made = new Environment({ unlistedVariablesAreDyn: true, limits })
  const kinds = [...['string == bool', 'string == int', 'string == double'], 'bool == int', 'bool == double']
  for (const signature of kinds) {
    const [left, , right] = signature.split(' ') as [string, string, string]
    made.registerOperator(signature, () => {
      throw new Error(`compares ${words[left]} with ${words[right]}`)
    })
  }
  return made
}

const words: Record<string, string> = {
  string: 'text',
  bool: 'true or false',
  int: 'a number',
  double: 'a number',
}

/**
 * The record as CEL sees it: its own fields and nothing of JavaScript's. Columns like `variables.plan` of a CSV are
 * fields of `variables`, and a time without an offset is UTC, where CEL would take it for local time.
 */
class Variables extends Map<string, unknown> {
  constructor(private readonly record: Fields) {
    super()
  }

  override get(name: string): unknown {
    if (!Object.hasOwn(this.record, name)) return flattened(this.record, `${name}.`)
    const value = this.record[name]
    return typeof value === 'string' && withoutOffset.test(value) ? `${value.replace(' ', 'T')}Z` : value
  }
}

const withoutOffset = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?$/

function flattened(record: Fields, prefix: string): Fields | undefined {
  const columns = Object.entries(record).filter(([name]) => name.startsWith(prefix))
  if (columns.length === 0) return undefined
  return Object.fromEntries(columns.map(([name, value]) => [name.slice(prefix.length), value]))
}

function unanswered(why: string): Refusal {
  return { status: 'invalid', reason: 'bad_row', message: `--where: ${why}` }
}

function refusal(why: string, expression: string): UsageError {
  return new UsageError(
    `--where: ${why}, in ${cleanMessage(expression, 200)}. Write it like \`language == "fr" && is_escalated == false\`.`,
  )
}

function kindOf(answer: unknown): string {
  if (typeof answer === 'string') return 'text'
  return typeof answer === 'number' || typeof answer === 'bigint' ? 'a number' : 'a value'
}

/** The rest of an error of the library draws the place in the expression over several lines. */
function firstLine(error: unknown): string {
  return messageOf(error instanceof Error ? error.message.split('\n')[0] : error)
}
