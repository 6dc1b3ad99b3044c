import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { commands } from '../../src/commands/commands.js'
import { runTyped } from '../../src/commands/parser.js'
import { exitCodeOf } from '../../src/commands/terminal.js'
import { UsageError } from '../../src/system/errors.js'

/** What a command said; a UsageError is code 2, as on the command line. */
export interface Said {
  code: number
  stdout: string
  stderr: string
}

export interface Desk {
  directory: string
  /** Writes a file, and says where it lies. */
  write(name: string, text: string): string
  path(name: string): string
  /** Has a command read these words, in this process: no build, no start of Node. */
  type(...words: string[]): Promise<Said>
  /** What a person types when asked, or does first and then types; without any there is nobody to ask. */
  answers: (string | (() => string))[]
  /** Added to the environment. */
  environment: Record<string, string>
}

/** A directory of a test's own, and commands typed in it. */
export function openDesk(): Desk {
  const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-desk-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const state = join(directory, 'state')
  mkdirSync(state)
  const path = (name: string) => join(directory, name)
  const environment: Record<string, string> = {
    ADA_API_KEY: 'k3y-0f-a-test',
    ADA_BULK_STATE: state,
    ADA_BULK_RUNS: path('runs'),
  }
  const answers: Desk['answers'] = []
  return {
    directory,
    environment,
    answers,
    path,
    write(name, text) {
      writeFileSync(path(name), text)
      return path(name)
    },
    async type(...words) {
      const said: Said = { code: 0, stdout: '', stderr: '' }
      const shell = {
        environment,
        isInteractive: answers.length > 0,
        isStderrTerminal: false,
        print(text: string) {
          said.stdout += `${text}\n`
        },
        notice(text: string) {
          said.stderr += `${text}\n`
        },
        ask: async (question: string) => {
          said.stderr += `${question}\n`
          const answer = answers.shift() ?? ''
          return typeof answer === 'string' ? answer : answer()
        },
      }
      try {
        said.code = await runTyped(words, commands, shell)
      } catch (error) {
        if (!(error instanceof UsageError)) throw error
        said.code = exitCodeOf(error)
        said.stderr += `ada-bulk: ${error.message}\n`
      }
      return said
    },
  }
}

/** An API that ends whatever it is asked to, and says what that was. */
export async function startEndingApi(): Promise<{ url: string; ended: string[] }> {
  const ended: string[] = []
  const server = createServer((request, response) => {
    request.resume()
    const [, id] = /^\/api\/v2\/conversations\/([^/]+)\/end\/$/.exec(request.url ?? '') ?? []
    if (request.method === 'POST' && id !== undefined) ended.push(decodeURIComponent(id))
    response
      .writeHead(request.method === 'POST' && id !== undefined ? 200 : 404, {
        'content-type': 'application/json',
      })
      .end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, ended }
}
