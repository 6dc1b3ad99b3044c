import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse } from 'csv-parse/sync'
import { expect } from 'vitest'
import { idOf, key, type OldAda, pseudonymKey, root, startOldAda } from '../fixtures/ada.js'
import { closeAtEnd, type Ended, openPlace, type ReportRow } from './harness.js'

/** Runs that version 0.1.0 has made; test/fixtures/v0.1/README.md says what each is. */
const kept = resolve('test/fixtures/v0.1')

const place = openPlace()

export interface Scene {
  /** As it was when a run was kept, once that is put in its place. */
  ada: OldAda
  /** Puts what is kept where it was made, with an Ada that remembers it. */
  old(name: string): Old
}

/** Takes the port and the place that the kept runs name, for all tests of the file. */
export async function openOldRuns(): Promise<Scene> {
  const ada = await startOldAda()
  closeAtEnd(() => ada.close())
  closeAtEnd(() => rmSync(root, { recursive: true, force: true }))
  return { ada, old: (name) => putInPlace(name, ada) }
}

export interface Old {
  path(...names: string[]): string
  /** Names of its runs, the first one first. */
  runs(): string[]
  /** Runs the command and expects it to end so. */
  run(exitCode: number, command: string, more?: Record<string, string | undefined>): Promise<Ended>
  json(exitCode: number, command: string): Promise<Record<string, unknown>>
  /** What `report` says of a run now. */
  rows(run?: string): Promise<ReportRow[]>
  /** Nothing but what could not be looked at is other than right. */
  expectRight(run?: string): Promise<void>
}

function putInPlace(name: string, ada: OldAda): Old {
  const directory = join(root, name)
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(root, { recursive: true })
  cpSync(join(kept, name), directory, { recursive: true })
  // A host that is not seen from here has touched nothing since.
  for (const file of readdirSync(directory, { recursive: true, encoding: 'utf8' }))
    utimesSync(join(directory, file), new Date('2026-11-28'), new Date('2026-11-28'))
  const { ended, deletions } = JSON.parse(readFileSync(join(directory, 'ada.json'), 'utf8'))
  ada.ended = new Set(ended)
  ada.deletions = new Map(Object.entries(deletions))
  const environment = {
    ADA_API_KEY: key,
    ADA_BULK_RUNS: 'runs',
    ADA_BULK_STATE: 'state',
    ADA_BULK_PSEUDONYM_KEY: pseudonymKey,
  }
  const one: Old = {
    path: (...names) => join(directory, ...names),
    runs: () => readdirSync(join(directory, 'runs')).sort(),
    async run(exitCode, command, more = {}) {
      const ended = await place.run(command.split(' '), {
        directory,
        environment: { ...environment, ...more },
      })
      expect(ended, `${name}: ${command}`).toMatchObject({ code: exitCode, signal: null })
      return ended
    },
    json: async (exitCode, command) => JSON.parse((await one.run(exitCode, `${command} --json`)).stdout),
    async rows(run = 'latest') {
      const { stdout } = await one.run(0, `report ${run} --output -`)
      return parse(stdout, { columns: true })
    },
    async expectRight(run = 'latest') {
      const { isRight, checks } = await one.json(0, `verify ${run}`)
      expect({ name, isRight }, JSON.stringify(checks)).toEqual({ name, isRight: true })
    },
  }
  return one
}

export const outcome = ({ id, status, reason }: ReportRow) => `${id} ${status} ${reason}`

export const idsOf = (series: number, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => idOf(series, from + index))
