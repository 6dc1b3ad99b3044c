import { hash } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { type RunDirectory, readRunFile } from '../checkpoint/directory.js'
import { readSpan } from '../checkpoint/log.js'
import type { RunFile } from '../checkpoint/run-file.js'
import { UsageError } from '../system/errors.js'

/** What a run was asked to do, to go on by it. Throws a UsageError when run.json is not the one that it was started with. */
export function readAskedRun(directory: RunDirectory): RunFile {
  const run = readRunFile(directory)
  const agreed = sha256AtStart(directory.checkpoint)
  if (agreed !== null && agreed !== hash('sha256', readFileSync(directory.runFile))) {
    throw new UsageError(
      `${directory.runFile} was changed since the run began, so it is not what was agreed to. Put it back as it was (its SHA-256 was ${agreed}), or begin a new run.`,
    )
  }
  return run
}

const longestStartBytes = 1024 * 1024

/** The first line of a checkpoint says it; null before that line, and of runs of earlier versions. */
function sha256AtStart(checkpoint: string): string | null {
  if (!existsSync(checkpoint)) return null
  const text = readSpan(checkpoint, 0, Math.min(statSync(checkpoint).size, longestStartBytes)).toString()
  try {
    return JSON.parse(text.slice(0, text.indexOf('\n'))).runFile ?? null
  } catch {
    return null
  }
}
