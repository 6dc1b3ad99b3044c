import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { runFileSchema } from '../checkpoint/run-file.js'
import { type RunSettings, settingFlags } from '../settings/run-settings.js'
import type { Fingerprinted } from '../sources/fingerprint.js'
import { UsageError } from '../system/errors.js'
import { readSmallText, writeFileAtomically } from '../system/files.js'
import { version } from '../system/host.js'

const planFileSchema = runFileSchema
  .pick({
    version: true,
    job: true,
    jobFlags: true,
    instance: true,
    settings: true,
    input: true,
    hold: true,
    plan: true,
    adaBulk: true,
  })
  .extend({
    kind: z.literal('plan'),
    /** Of a job that is a user's own file. */
    jobSha256: z.string().nullable(),
    /** The moment by which the job's filters judge. A run by this plan chooses by the same. */
    judgedAt: z.iso.datetime(),
    maxItems: z.number().nullable(),
    /** What the person was shown. */
    forecast: z.record(z.string(), z.unknown()),
  })

/** A plan that was kept, for a run that does exactly this or nothing. It never holds the key. */
export type PlanFile = z.infer<typeof planFileSchema>

/** What a run is asked to be. */
export type Asked = Pick<PlanFile, 'job' | 'jobFlags' | 'instance' | 'settings'>

/** What counting the input found. */
export type Found = Pick<PlanFile, 'input' | 'hold' | 'plan'>

export type NewPlan = Asked & Found & Pick<PlanFile, 'judgedAt' | 'maxItems'> & { forecast: object }

/** Throws a UsageError when the path is taken by something that is no plan, which would be lost. */
export function refuseTaken(path: string): void {
  if (existsSync(path)) readPlanFile(path, 'is there already and is no plan: name another --output.')
}

/** Throws a UsageError when the file cannot be written. */
export function writePlanFile(path: string, plan: NewPlan): void {
  const file = { kind: 'plan', version: 1, ...plan, jobSha256: jobSha256(plan.job), adaBulk: version }
  try {
    writeFileAtomically(path, `${JSON.stringify(file, null, 2)}\n`)
  } catch (error) {
    throw new UsageError(`--output ${path}: cannot be written (${codeOf(error)}).`)
  }
}

/** Throws a UsageError when it is none. */
export function readPlanFile(
  path: string,
  otherwise = 'is no plan that `plan --output` has made.',
): PlanFile {
  let text: string
  try {
    text = readSmallText(path)
  } catch (error) {
    throw new UsageError(`${path}: cannot be read (${codeOf(error)}).`)
  }
  try {
    return planFileSchema.parse(JSON.parse(text))
  } catch {
    throw new UsageError(`${path}: ${otherwise}`)
  }
}

/**
 * Throws a UsageError that names what differs from what the plan was made for. A plan of an earlier version is taken: what
 * this version finds in its input is compared, too.
 */
export function refuseAskedOtherwise(path: string, planned: PlanFile, asked: Asked): void {
  const flags = new Set([...Object.keys(planned.jobFlags), ...Object.keys(asked.jobFlags)])
  const settings = Object.keys(settingFlags) as (keyof RunSettings)[]
  refuse(path, [
    ...(planned.job === asked.job ? [] : [`the job (${planned.job}, now ${asked.job})`]),
    ...(planned.job !== asked.job || planned.jobSha256 === jobSha256(asked.job) ? [] : ['the job file']),
    ...[...flags]
      .filter((flag) => planned.jobFlags[flag] !== asked.jobFlags[flag])
      .map((flag) => `--${flag}`),
    ...settings
      .filter((name) => !isDeepStrictEqual(planned.settings[name], asked.settings[name]))
      .map((name) => settingFlags[name]),
    ...(planned.instance === asked.instance
      ? []
      : [`the instance (${planned.instance}, now ${asked.instance})`]),
  ])
}

/** The same for what is found in the input now. */
export function refuseFoundOtherwise(path: string, planned: PlanFile, found: Found): void {
  const files = [
    ...changedFiles('input', planned.input, found.input),
    ...changedFiles('hold list', planned.hold, found.hold),
  ]
  // Of a job that remembers: what other runs have settled since then is left out.
  const isOther = planned.plan.calls !== found.plan.calls
  refuse(path, files.length > 0 || !isOther ? files : ['what the job picks from the input'])
}

function refuse(path: string, changes: readonly string[]): void {
  if (changes.length === 0) return
  throw new UsageError(
    `${path} holds no longer: since it was made, ${changes.join(' and ')} changed. Make a new plan, and look at it.`,
  )
}

function changedFiles(what: string, then: readonly Fingerprinted[], now: readonly Fingerprinted[]): string[] {
  if (then.length !== now.length) return [`the ${what} (${counted(then)}, now ${counted(now)})`]
  return now
    .filter(({ sha256 }, index) => sha256 !== then[index]!.sha256)
    .map(({ name }) => `the ${what} ${name}`)
}

function counted(files: readonly unknown[]): string {
  return `${files.length} ${files.length === 1 ? 'file' : 'files'}`
}

/** A job that comes with the program is as old as the program. */
function jobSha256(job: string): string | null {
  return isAbsolute(job) ? createHash('sha256').update(readFileSync(job)).digest('hex') : null
}

function codeOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  if (code === undefined) throw error
  return code
}
