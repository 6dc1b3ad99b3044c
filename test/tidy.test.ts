import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'

/** The rules of the structure that can be read off the files. Change a rule here, on purpose, or not at all. */

const root = join(import.meta.dirname, '..')

interface Import {
  /** The file from the root on, `src/item.ts`, or a package's name. */
  of: string
  /** Gone after compiling. */
  isType: boolean
}

interface SourceFile {
  path: string
  lines: number
  /** Without comments. */
  code: string
  imports: Import[]
}

const files: SourceFile[] = ['src', 'jobs'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => sourceFile(join(folder, file))),
)

function sourceFile(path: string): SourceFile {
  const text = readFileSync(join(root, path), 'utf8')
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  return { path, lines: text.split('\n').length - 1, code, imports: importsOf(path, code) }
}

function importsOf(path: string, code: string): Import[] {
  const named = code.matchAll(/^(?:import|export)\s+(type\s)?([^'";]*?)\s*from\s+'([^']+)'/gm)
  const bare = code.matchAll(/(?:^import|\bimport\()\s*'([^']+)'/gm)
  return [
    ...[...named].map(([, type, names, of]) => ({
      of: resolved(path, of!),
      isType: type !== undefined || isOnlyTypes(names!),
    })),
    ...[...bare].map(([, of]) => ({ of: resolved(path, of!), isType: false })),
  ]
}

/** `{ type Item, type Source }`. */
function isOnlyTypes(names: string): boolean {
  const list = /^\{([^}]*)\}$/.exec(names.trim())?.[1]
  return list?.split(',').every((name) => name.trim() === '' || name.trim().startsWith('type ')) ?? false
}

function resolved(path: string, of: string): string {
  return of.startsWith('.') ? join(dirname(path), of.replace(/\.js$/, '.ts')) : of
}

/** Each offence as `file → what it does`, so that a failing test says all of them. */
function offences(rule: (file: SourceFile) => readonly string[]): string[] {
  return files.flatMap((file) => rule(file).map((what) => `${file.path} → ${what}`))
}

const folderOf = (path: string) => dirname(path)

test('the import statements are understood', () => {
  const known = new Set(files.map(({ path }) => path))
  expect(files.length).toBeGreaterThan(80)
  // Whatever is imported from beside is a file that is there: nothing was misread.
  expect(
    offences(({ imports }) =>
      imports.map(({ of }) => of).filter((of) => /^(src|jobs)\//.test(of) && !known.has(of)),
    ),
  ).toEqual([])
  const statements = files.map(({ code }) => code.match(/^import\b|\bimport\('/gm)?.length ?? 0)
  const exports = files.map(({ code }) => code.match(/^export [^'";(=]* from '/gm)?.length ?? 0)
  const expected = [...statements, ...exports].reduce((sum, count) => sum + count)
  expect(files.reduce((sum, { imports }) => sum + imports.length, 0)).toBe(expected)
})

describe('who imports whom', () => {
  test('nobody imports the command line', () => {
    expect(
      offences(({ imports }) => imports.map(({ of }) => of).filter((of) => of === 'src/cli.ts')),
    ).toEqual([])
  })

  test('only the command line and the commands import commands', () => {
    expect(
      offences(({ path, imports }) =>
        path === 'src/cli.ts' || folderOf(path) === 'src/commands'
          ? []
          : imports.map(({ of }) => of).filter((of) => folderOf(of) === 'src/commands'),
      ),
    ).toEqual([])
  })

  test('a job knows what a job is, and its building blocks', () => {
    const known = ['src/job.ts', 'src/filter-flags.ts']
    const blocks = ['src/sources', 'src/operations', 'src/filters']
    expect(
      offences(({ path, imports }) =>
        folderOf(path) === 'jobs'
          ? imports.map(({ of }) => of).filter((of) => !known.includes(of) && !blocks.includes(folderOf(of)))
          : [],
      ),
    ).toEqual([])
  })

  test('nobody but the loader of jobs knows a job', () => {
    expect(
      offences(({ imports }) => imports.map(({ of }) => of).filter((of) => folderOf(of) === 'jobs')),
    ).toEqual([])
  })

  test('the line knows promises only', () => {
    expect(
      offences(({ path, imports }) =>
        path === 'src/run.ts'
          ? imports.filter(({ of, isType }) => !isType && of !== 'p-limit').map(({ of }) => of)
          : [],
      ),
    ).toEqual([])
  })
})

/** Folders with a promise, and the file that it stands in. */
const promises: Record<string, string> = {
  'src/sources': 'source.ts',
  'src/operations': 'operation.ts',
  'src/reports': 'report.ts',
  'src/filters': 'filter.ts',
  'src/progress': 'progress.ts',
  'src/notices': 'notice.ts',
  'src/schedule': 'schedule.ts',
}

/** `csv-layout.ts` is a part of `csv.ts`, if that is there. */
function kindOf(path: string): string {
  const folder = folderOf(path)
  const name = basename(path, '.ts')
  const kinds = files
    .filter((file) => folderOf(file.path) === folder)
    .map((file) => basename(file.path, '.ts'))
  return kinds.filter((kind) => name.startsWith(`${kind}-`)).sort((a, b) => a.length - b.length)[0] ?? name
}

describe.each(Object.entries(promises))('in %s', (folder, promise) => {
  test('no kind imports another, only the promise and its own parts', () => {
    expect(
      offences(({ path, imports }) =>
        folderOf(path) === folder
          ? imports
              .map(({ of }) => of)
              .filter(
                (of) => folderOf(of) === folder && basename(of) !== promise && kindOf(of) !== kindOf(path),
              )
          : [],
      ),
    ).toEqual([])
  })

  test('the promise knows none of its kinds', () => {
    expect(
      offences(({ path, imports }) =>
        path === join(folder, promise)
          ? imports.map(({ of }) => of).filter((of) => folderOf(of) === folder)
          : [],
      ),
    ).toEqual([])
  })
})

describe('the edge', () => {
  const isEdge = (path: string) => path === 'src/cli.ts' || folderOf(path) === 'src/commands'

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
})

test('only what runs in a browser knows one: its types are there for all', () => {
  expect(
    offences(({ path, code }) =>
      basename(path).includes('-browser-') ? [] : (code.match(/\bdocument\.\w+/) ?? []).slice(0, 1),
    ),
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
        return defaults === (folderOf(path) === 'jobs' ? 1 : 0) ? [] : [`${defaults} default exports`]
      }),
    ).toEqual([])
  })

  test('no file has more than 200 lines: look for the second file inside it', () => {
    /** Longer when this rule came. They may only become shorter. */
    const longer: Record<string, number> = {
      'src/execute.ts': 250,
      'src/pacing/limiter.ts': 225,
      'src/sources/data-export-scanner.ts': 203,
    }
    expect(offences(({ path, lines }) => (lines > (longer[path] ?? 200) ? [`${lines} lines`] : []))).toEqual(
      [],
    )
  })
})
