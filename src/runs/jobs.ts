import { existsSync, readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { jobShortName } from '../checkpoint/run-file.js'
import { isOnBatches, type Job } from '../job.js'
import { looksLikeSecret, shown } from '../settings/secrets.js'
import { UsageError } from '../system/errors.js'
import { suggestion } from '../system/suggestion.js'
import { messageOf } from '../system/text.js'
import { checkedJob } from './custom-job.js'

/** `jobs/` lies beside `src/`, in the sources as in what is built. */
const jobsDirectory = fileURLToPath(new URL('../../jobs/', import.meta.url))

/** The names of the jobs that come with the program: the names of their files. */
export function jobNames(): string[] {
  return readdirSync(jobsDirectory)
    .filter((file) => /(?<!\.d)\.(js|ts)$/.test(file))
    .map((file) => file.replace(/\.(js|ts)$/, ''))
    .sort()
}

/** A job and the name that stands in run.json: its own, or the absolute path of a user's file. */
export interface LoadedJob {
  job: Job
  name: string
  /** Fit for a file's name. */
  shortName: string
}

/** Loads a job by its name, or from a user's own file, TypeScript or JavaScript. Throws a UsageError when it cannot. */
export async function loadJob(nameOrPath: string): Promise<LoadedJob> {
  const isFile = /[/\\]|\.(c|m)?(j|t)s$/.test(nameOrPath)
  const path = isFile ? resolve(nameOrPath) : jobNames().includes(nameOrPath) ? builtInPath(nameOrPath) : null
  if (path === null) {
    const meant = suggestion(nameOrPath, jobNames())
    throw new UsageError(
      `no job called ${shown(nameOrPath)}${meant === null ? '' : ` (did you mean ${meant}?)`}. There are: ${jobNames().join(', ')}. A job file of your own is given by its path, like ./${looksLikeSecret(nameOrPath) ? 'my-job' : nameOrPath}.ts.`,
    )
  }
  if (!existsSync(path)) throw new UsageError(`${nameOrPath}: there is no such job file.`)
  if (!statSync(path).isFile()) throw new UsageError(`${nameOrPath}: is no file, and a job is one.`)
  const job = isFile ? await loadFile(path) : (await import(path)).default
  if (!isJob(job)) {
    throw new UsageError(
      `${nameOrPath}: its default export is not a job. Write \`export default defineJob({ describe, operation })\`.`,
    )
  }
  const unknown = Object.keys(job).filter((key) => !jobKeys.includes(key))
  if (unknown.length > 0) {
    throw new UsageError(
      `${nameOrPath}: a job has no ${unknown.join(', ')}. It may have ${jobKeys.join(', ')}.`,
    )
  }
  return {
    job: isFile ? checkedJob(job, nameOrPath) : job,
    name: isFile ? path : nameOrPath,
    shortName: jobShortName(nameOrPath),
  }
}

/** A key that is mistyped, like `filter`, would otherwise mean that nothing is left out. */
const jobKeys: readonly string[] = [
  'describe',
  'operation',
  'flags',
  'filters',
  'idColumns',
  'isLive',
  'remembers',
  'mayErase',
  'checksFirst',
] satisfies (keyof Job)[]

function builtInPath(name: string): string {
  return ['js', 'ts'].map((ending) => join(jobsDirectory, `${name}.${ending}`)).find(existsSync)!
}

/** A user's file may be TypeScript, and imports `ada-bulk` from wherever it lies: jiti sees to both on any Node. */
async function loadFile(path: string): Promise<unknown> {
  const { createJiti } = await import('jiti')
  const jiti = createJiti(import.meta.url, {
    alias: {
      'ada-bulk': fileURLToPath(
        new URL(import.meta.url.endsWith('.ts') ? '../index.ts' : '../index.js', import.meta.url),
      ),
    },
    fsCache: false,
  })
  try {
    return await loadedInTime(() => jiti.import(path, { default: true }), path)
  } catch (error) {
    throw new UsageError(`${path}: cannot be loaded. ${messageOf(error)}`)
  }
}

const loadingMaxMs = 60_000

/** A file is loaded for its flags first. */
const neverLoaded = new Set<string>()

/** An await at the top of a file that never ends would end this process without a word, as nothing is left to wait for. */
async function loadedInTime(load: () => Promise<unknown>, path: string): Promise<unknown> {
  const tooLate = new Error(`It has not come to its end in ${loadingMaxMs / 1000} s: what does it wait for?`)
  if (neverLoaded.has(path)) throw tooLate
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      neverLoaded.add(path)
      reject(tooLate)
    }, loadingMaxMs)
  })
  return Promise.race([load(), late]).finally(() => clearTimeout(timer))
}

function isJob(value: unknown): value is Job {
  try {
    return hasPartsOfJob(value)
  } catch {
    // It may have getters, and they may throw.
    return false
  }
}

function hasPartsOfJob(value: unknown): boolean {
  const { describe, operation } = (value ?? {}) as Partial<Job>
  const act = operation && (isOnBatches(operation) ? operation.submit : operation.attempt)
  return typeof describe === 'string' && typeof act === 'function' && Array.isArray(operation?.limits)
}
