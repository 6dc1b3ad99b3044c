import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

/** The rules of the structure that can be read off the files. Change a rule here, on purpose, or not at all. */

const root = join(import.meta.dirname, '..')

interface SourceFile {
  /** From the root on: `src/item.ts`. */
  path: string
  lines: number
  /** Without comments. */
  code: string
  syntax: ts.SourceFile
  imports: Import[]
}

interface Import {
  /** The file from the root on, `src/item.ts`, or a package's name. */
  target: string
  /** Gone after compiling. */
  isType: boolean
  /** Names that the file uses for what it imports. */
  names: string[]
}

const files: SourceFile[] = ['src', 'jobs'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => sourceFile(join(folder, file))),
)

function sourceFile(path: string): SourceFile {
  const text = readFileSync(join(root, path), 'utf8')
  const syntax = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  return { path, lines: text.split('\n').length - 1, code, syntax, imports: importsIn(path, syntax) }
}

function importsIn(path: string, syntax: ts.SourceFile): Import[] {
  const found: Import[] = []
  const target = (specifier: string) =>
    specifier.startsWith('.') ? join(dirname(path), specifier.replace(/\.js$/, '.ts')) : specifier
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const clause = node.importClause
      const bindings = clause?.namedBindings
      const named = bindings && ts.isNamedImports(bindings) ? [...bindings.elements] : []
      const whole = bindings && ts.isNamespaceImport(bindings) ? [bindings.name.text] : []
      const isType =
        clause?.isTypeOnly === true ||
        (named.length > 0 && clause?.name === undefined && named.every((name) => name.isTypeOnly))
      const names = [...named.map((name) => name.name.text), ...whole]
      if (clause?.name) names.push(clause.name.text)
      found.push({ target: target(node.moduleSpecifier.text), isType, names })
    } else if (
      ts.isExportDeclaration(node) &&
      node.moduleSpecifier &&
      ts.isStringLiteral(node.moduleSpecifier)
    ) {
      found.push({ target: target(node.moduleSpecifier.text), isType: node.isTypeOnly, names: [] })
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments
      if (argument && ts.isStringLiteral(argument))
        found.push({ target: target(argument.text), isType: false, names: [] })
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      const { literal } = node.argument
      if (ts.isStringLiteral(literal)) found.push({ target: target(literal.text), isType: true, names: [] })
    }
    ts.forEachChild(node, visit)
  }
  visit(syntax)
  return found
}

/** Offences from before the rules. The list may only become shorter. */
const toMend = new Set<string>([])

const known = new Map(files.map((file) => [file.path, file]))

/** Each offence as `file → what it does`, so that a failing test says all of them. */
function offences(rule: (file: SourceFile) => readonly string[]): string[] {
  return files
    .flatMap((file) => rule(file).map((what) => `${file.path} → ${what}`))
    .filter((offence) => !toMend.has(offence))
}

/** `src/commands` for its folder `schedule`, too; `src/run.ts` for a loose file. */
function roomOf(path: string): string {
  const parts = path.split('/')
  return parts.length === 2 ? path : parts.slice(0, 2).join('/')
}

/** A room may import from rooms on a lower level only, types included. */
const levels: Record<string, number> = {
  'src/cli.ts': 7,
  'src/commands': 6,
  'src/index.ts': 6,
  'src/runs': 5,
  'src/operations': 4,
  'src/filters': 4,
  'src/reports': 4,
  'src/monitor': 4,
  'src/job.ts': 3,
  'src/run.ts': 3,
  'src/pacing': 3,
  'src/checkpoint': 3,
  'src/sandbox': 3,
  'src/settings': 2,
  'src/sources': 2,
  'src/item.ts': 1,
  'src/system': 1,
}

describe('the rooms', () => {
  const rooms = new Set(files.map(({ path }) => roomOf(path)).filter((room) => room.startsWith('src/')))

  test('are at most 12 folders and 5 loose files', () => {
    const loose = [...rooms].filter((room) => room.endsWith('.ts'))
    expect(loose.length).toBeLessThanOrEqual(5)
    expect(rooms.size - loose.length).toBeLessThanOrEqual(12)
  })

  test('each have a level', () => {
    expect([...rooms].filter((room) => levels[room] === undefined)).toEqual([])
  })

  test('every import is a file that exists', () => {
    expect(
      offences(({ imports }) =>
        imports
          .map(({ target }) => target)
          .filter((target) => /^(src|jobs)\//.test(target) && !known.has(target)),
      ),
    ).toEqual([])
  })

  test('import only from a lower level, types included', () => {
    expect(
      offences(({ path, imports }) => {
        const level = levels[roomOf(path)]
        if (level === undefined) return []
        return imports
          .map(({ target }) => target)
          .filter((target) => known.has(target) && roomOf(target) !== roomOf(path))
          .filter((target) => (levels[roomOf(target)] ?? Number.POSITIVE_INFINITY) >= level)
      }),
    ).toEqual([])
  })

  test('hold no circle of files, types included', () => {
    const state = new Map<string, 'open' | 'done'>()
    const circles: string[] = []
    const visit = (path: string, trail: readonly string[]): void => {
      if (state.get(path) === 'done') return
      if (state.get(path) === 'open') {
        circles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
        return
      }
      state.set(path, 'open')
      for (const { target } of known.get(path)!.imports)
        if (known.has(target)) visit(target, [...trail, path])
      state.set(path, 'done')
    }
    for (const { path } of files) visit(path, [])
    expect(circles.filter((circle) => !toMend.has(circle))).toEqual([])
  })

  test('a job imports what a job is, operations and filters', () => {
    const allowed = ['src/job.ts', 'src/operations', 'src/filters']
    expect(
      offences(({ path, imports }) =>
        path.startsWith('jobs/')
          ? imports.map(({ target }) => target).filter((target) => !allowed.includes(roomOf(target)))
          : [],
      ),
    ).toEqual([])
  })

  test('only the loader of jobs reads a job', () => {
    expect(
      offences(({ imports }) =>
        imports.map(({ target }) => target).filter((target) => target.startsWith('jobs/')),
      ),
    ).toEqual([])
  })
})

describe('the line', () => {
  test('knows interfaces only, and p-limit', () => {
    expect(
      known
        .get('src/run.ts')!
        .imports.filter(({ target, isType }) => !isType && target !== 'p-limit')
        .map(({ target }) => target),
    ).toEqual([])
  })
})

/** Folders of kinds, and the file with their interface. */
const interfaces: Record<string, string> = {
  'src/sources': 'source.ts',
  'src/reports': 'report.ts',
  'src/commands/schedule': 'schedule.ts',
}

describe.each(Object.entries(interfaces))('in %s', (folder, face) => {
  test('the interface imports none of its kinds', () => {
    expect(
      known
        .get(join(folder, face))!
        .imports.map(({ target }) => target)
        .filter((target) => dirname(target) === folder),
    ).toEqual([])
  })
})

describe('the edge', () => {
  const isEdge = (path: string) => path === 'src/cli.ts' || roomOf(path) === 'src/commands'

  test.each([
    ['reads arguments', /\bprocess\.argv\b/],
    ['reads the environment', /\bprocess\.env\b/],
    ['exits', /\bprocess\.(exit|exitCode|abort)\b/],
    ['prints', /\bconsole\.|\bprocess\.(stdout|stderr)\b/],
    ['asks', /\bprocess\.stdin\b/],
    ['listens to signals', /\bprocess\.(on|once)\(/],
  ])('only a command %s', (_, pattern) => {
    expect(
      offences(({ path, code }) => (isEdge(path) ? [] : (code.match(pattern) ?? []).slice(0, 1))),
    ).toEqual([])
  })

  test("only the report's page uses a browser's document", () => {
    expect(
      offences(({ path, code }) =>
        basename(path).includes('-browser') ? [] : (code.match(/\bdocument\.\w+/) ?? []).slice(0, 1),
      ),
    ).toEqual([])
  })
})

test("no options object is spread into another folder's function", () => {
  expect(
    offences(({ path, imports, syntax }) => {
      const foreign = new Set(
        imports
          .filter(({ target }) => known.has(target) && roomOf(target) !== roomOf(path))
          .flatMap(({ names }) => names),
      )
      const found: string[] = []
      const visit = (node: ts.Node): void => {
        if (
          (ts.isCallExpression(node) || ts.isNewExpression(node)) &&
          ts.isIdentifier(node.expression) &&
          foreign.has(node.expression.text)
        ) {
          for (const argument of node.arguments ?? []) {
            if (!ts.isObjectLiteralExpression(argument)) continue
            for (const property of argument.properties) {
              if (!ts.isSpreadAssignment(property)) continue
              const { expression } = property
              if (ts.isIdentifier(expression) || ts.isPropertyAccessExpression(expression))
                found.push(`${node.expression.text}({ ...${expression.getText()} })`)
            }
          }
        }
        ts.forEachChild(node, visit)
      }
      visit(syntax)
      return found
    }),
  ).toEqual([])
})

describe('the form', () => {
  test('no folder or file is called by what everything is', () => {
    const empty = /^(utils?|helpers?|types?|common|misc|shared|lib|core|managers?|handlers?)(\.ts)?$/
    expect(offences(({ path }) => path.split('/').filter((part) => empty.test(part)))).toEqual([])
  })

  test('names are lower case, words joined by hyphens', () => {
    expect(offences(({ path }) => (/^[a-z0-9/-]+\.ts$/.test(path) ? [] : ['is not']))).toEqual([])
  })

  test('exports are named; a job has one default export, the job', () => {
    expect(
      offences(({ path, code }) => {
        const defaults = code.match(/^export default\b/gm)?.length ?? 0
        return defaults === (path.startsWith('jobs/') ? 1 : 0) ? [] : [`${defaults} default exports`]
      }),
    ).toEqual([])
  })

  test('a file is one idea: at most 300 lines, and at least 15 or a reason', () => {
    /** Why so short. */
    const short: Record<string, string> = {}
    expect(
      offences(({ path, lines }) => {
        if (lines > 300) return [`${lines} lines`]
        return lines < 15 && !path.startsWith('jobs/') && short[path] === undefined ? [`${lines} lines`] : []
      }),
    ).toEqual([])
  })
})
