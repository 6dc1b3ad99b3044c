import { createInterface } from 'node:readline/promises'
import { sandboxKey } from '../sandbox/options.js'
import type { Environment } from '../settings/environment.js'

/** A signal before anything was sent; Ctrl-C at a question is one. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'

  constructor(readonly exitCode = 130) {
    super()
  }
}

/** The exit code of a command that throws this. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Interrupted) return error.exitCode
  // By its name: a user's own job may come with a copy of the class. A download that stopped says its own code.
  if (error instanceof Error && error.name === 'UsageError')
    return 'exitCode' in error ? Number(error.exitCode) : 2
  return 1
}

/** What a command sees of the world it was typed in. */
export interface Terminal {
  environment: Environment
  /** A person can be asked: both ends are a terminal. */
  isInteractive: boolean
  /** Stderr is a terminal, so that a bar may be drawn. */
  isStderrTerminal: boolean
  /** Prints results. `isRedrawn` clears the screen first, where stdout is a terminal. */
  print(text: string, isRedrawn?: boolean): void
  /** Progress, notices, errors. */
  notice(text: string): void
  /** Asks on stderr. Returns the answer trimmed, '' when there is none. Throws Interrupted. */
  ask(question: string): Promise<string>
}

const unprintable = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/**
 * Text from files and answers must not control the terminal, nor turn the writing direction. Escaped as in JSON it
 * does neither, and a JSON document remains one.
 */
export function printable(text: string): string {
  return text.replace(
    unprintable,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Moves the cursor to the upper left corner, and clears the screen below it. */
const clearScreen = '\u001b[H\u001b[J'

export function processTerminal(): Terminal {
  const withoutKey = hiding(process.env.ADA_API_KEY)
  const shown = (text: string) => printable(withoutKey(text))
  return {
    environment: process.env,
    isInteractive: Boolean(process.stdin.isTTY && process.stderr.isTTY),
    isStderrTerminal: Boolean(process.stderr.isTTY),
    print: (text, isRedrawn = false) =>
      void process.stdout.write(`${isRedrawn && process.stdout.isTTY ? clearScreen : ''}${shown(text)}\n`),
    notice: (text) => void process.stderr.write(`${shown(text)}\n`),
    async ask(question) {
      const lines = createInterface({ input: process.stdin, output: process.stderr })
      try {
        return await new Promise<string>((resolve, reject) => {
          lines.on('SIGINT', () => reject(new Interrupted()))
          lines.on('close', () => resolve(''))
          lines.question(question).then((answer) => resolve(answer.trim()))
        })
      } finally {
        lines.close()
      }
    },
  }
}

/** The last safeguard: no message repeats a key that was typed in the wrong place. */
function hiding(key = ''): (text: string) => string {
  const isSecret = key.length >= shortestKey && key !== sandboxKey
  return (text) => (isSecret ? text.replaceAll(key, '[the key]') : text)
}

/** A shorter one may occur in any text by chance. */
const shortestKey = 12
