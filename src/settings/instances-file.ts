import { existsSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { UsageError } from '../system/errors.js'
import { readWords } from '../system/files.js'
import { messageOf } from '../system/text.js'
import { parseBaseUrl } from './addresses.js'
import type { Environment } from './environment.js'

/** One line of an instances file. */
export interface InstanceRow {
  origin: string
  /** Its host, for people. */
  label: string
  key: string
  /** The variable that holds it. */
  keyVariable: string
  /** Files of IDs; none where the job downloads its own. */
  input: string[]
}

const columns = ['base_url', 'key_variable', 'input'] as const
type Column = (typeof columns)[number]

/**
 * Reads the instances that a job is to be run over: a CSV with the columns `base_url`, `key_variable` (the name of the
 * variable that holds the key, never the key itself) and `input`, or a JSON array of such objects. Throws a
 * UsageError that names the line, before anything is done on any of them.
 */
export function readInstances(path: string, environment: Environment): InstanceRow[] {
  const rows = rowsOf(path)
  if (rows.length === 0) throw new UsageError(`--instances ${path}: names no instance.`)
  const instances = rows.map((row, index) => {
    const instance = instanceOf(row, `--instances ${path}, row ${index + 1}`, environment)
    return { ...instance, input: instance.input.map((name) => besideOf(path, name)) }
  })
  const seen = new Set<string>()
  for (const { origin } of instances) {
    if (seen.has(origin))
      throw new UsageError(
        `--instances ${path}: ${origin} stands there twice. Put its inputs into one file, or run the job again for the second.`,
      )
    seen.add(origin)
  }
  return instances
}

/** Inputs are named as seen from the file: a schedule starts anywhere. Else from where the command is typed. */
function besideOf(path: string, name: string): string {
  const beside = join(dirname(path), name)
  return !isAbsolute(name) && existsSync(beside) ? beside : name
}

/** The variables that hold the keys of such a file's instances. */
export function keyVariables(path: string): string[] {
  return [...new Set(rowsOf(path).map((row) => variableOf(row, `--instances ${path}`)))]
}

function instanceOf(row: Record<string, unknown>, where: string, environment: Environment): InstanceRow {
  const text = (column: Column) => String(row[column] ?? '').trim()
  const origin = parseBaseUrl(text('base_url'), `${where}: base_url`)
  const variable = variableOf(row, where)
  const key = environment[variable]
  // A key that is there by mistake must not be printed.
  const name = /^[A-Z][A-Z0-9_]*$/.test(variable) ? variable : 'that key_variable names'
  if (!key) throw new UsageError(`${where}: the variable ${name} for ${origin} is not set.`)
  const input = Array.isArray(row.input) ? row.input.map(String) : text('input') === '' ? [] : [text('input')]
  return {
    origin,
    label: new URL(origin).host.replace(/\.ada\.support$/, '').replaceAll(/[^a-z0-9.-]/gi, '-'),
    key,
    keyVariable: variable,
    input,
  }
}

function variableOf(row: Record<string, unknown>, where: string): string {
  const variable = String(row.key_variable ?? '').trim()
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(variable)) return variable
  throw new UsageError(
    `${where}: key_variable must be the name of a variable, like ADA_API_KEY_ACME. A key itself does not belong into the file.`,
  )
}

function rowsOf(path: string): Record<string, unknown>[] {
  let text: string
  try {
    text = readWords(path)
  } catch (error) {
    throw new UsageError(
      `--instances ${path}: cannot be read (${(error as NodeJS.ErrnoException).code ?? messageOf(error)}).`,
    )
  }
  const rows = /^\s*\[/.test(text) ? jsonRows(text, path) : csvRows(text, path)
  const missing = columns.slice(0, 2).filter((column) => rows.length > 0 && !(column in rows[0]!))
  if (missing.length > 0) {
    throw new UsageError(
      `--instances ${path}: has no ${missing.join(' and no ')}. It needs the columns ${columns.join(', ')}.`,
    )
  }
  return rows
}

function jsonRows(text: string, path: string): Record<string, unknown>[] {
  try {
    const rows: unknown = JSON.parse(text)
    if (Array.isArray(rows) && rows.every((row) => typeof row === 'object' && row !== null)) return rows
  } catch {}
  throw new UsageError(`--instances ${path}: is no JSON array of objects with ${columns.join(', ')}.`)
}

function csvRows(text: string, path: string): Record<string, unknown>[] {
  try {
    return parse(text, {
      columns: (names: string[]) => names.map((name) => name.trim().toLowerCase()),
      skip_empty_lines: true,
    })
  } catch (error) {
    throw new UsageError(
      `--instances ${path}: is no CSV with the columns ${columns.join(', ')} (${(error as Error).message}).`,
    )
  }
}
