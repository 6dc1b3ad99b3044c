import { existsSync } from 'node:fs'
import { type RunDirectory, readRunFile } from '../checkpoint/directory.js'
import { sandboxKey } from '../sandbox/options.js'
import { startSandbox } from '../sandbox/server.js'
import { requiredKey, withEnvFile } from '../settings/environment.js'
import { eraseAfter, erasureOf, refuseErasingUnasked, worse } from './erase-after.js'
import type { ResumeFlags } from './resume.js'
import type { Shell } from './shell.js'

/** Goes on with a sweep that is to erase, and then with its second part, or begins that. */
export async function resumeErasing(
  directory: RunDirectory,
  flags: ResumeFlags,
  shell: Shell,
  resume: (directory: RunDirectory) => Promise<number>,
): Promise<number> {
  const erasure = erasureOf(directory)
  const hasBegun = existsSync(erasure.runFile)
  if (!hasBegun) refuseErasingUnasked(flags, shell)
  const exitCode = await resume(directory)
  if (hasBegun) return worse(exitCode, await resume(erasure))
  const { isSandbox, instance } = readRunFile(directory)
  const environment = withEnvFile(shell.environment, flags['env-file'])
  const key = isSandbox ? sandboxKey : requiredKey(flags, environment)
  const sandbox = isSandbox ? await startSandbox() : null
  try {
    const origin = sandbox?.url ?? instance
    return await eraseAfter({ origin, key, directory, exitCode }, flags, shell)
  } finally {
    await sandbox?.close()
  }
}
