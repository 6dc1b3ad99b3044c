import { basename, dirname, join } from 'node:path'
import { Bitset } from '../checkpoint/bitset.js'
import type { RunDirectory } from '../checkpoint/directory.js'
import type { StartEvent } from '../checkpoint/events.js'
import type { RunFile } from '../checkpoint/run-file.js'
import { type Item, nameOf, type Outcome, type SettledItem } from '../item.js'
import { type Fingerprinted, Fingerprinting, fingerprintOf } from '../sources/fingerprint.js'
import { readHoldLists } from '../sources/hold-list.js'
import { IdSet } from '../sources/id-set.js'
import { idKey } from '../sources/identifier.js'
import { type InputSettings, openInput } from '../sources/input.js'
import { type IdRules, type InputItem, readItems } from '../sources/items.js'
import type { InputFile } from '../sources/source.js'
import { UsageError } from '../system/errors.js'
import { counted, inDigits, messageOf } from '../system/text.js'
import { type Check, type Evidence, leftOut, notComparable, right, wrong } from './verify-check.js'

type Settled = AsyncIterable<readonly SettledItem[]>

/** The names under which a run keeps an input that was no file of the person's. */
const keptNames = ['stdin', 'retry.csv', 'export.jsonl.gz']

/** The run with its kept files where its directory lies now: they go with it when it is moved. */
export function withFilesWhereTheyAre(directory: RunDirectory, run: RunFile): RunFile {
  const current = (file: Fingerprinted): Fingerprinted => {
    const isKept = keptNames.includes(basename(file.path)) && basename(dirname(file.path)) === run.run
    return isKept ? { ...file, path: join(directory.path, basename(file.path)) } : file
  }
  return { ...run, input: run.input.map(current), hold: run.hold.map(current) }
}

/** Reads the input again, in one pass for its fingerprint and for its rows, each of which has one outcome. */
export async function checkInput(evidence: Evidence, settled: Settled): Promise<Check[]> {
  const { directory, run, scan, isFinished, isInputLeftOut, idRules } = evidence
  const isUnknown = idRules === null && scan.lineFault === null
  const why = isUnknown
    ? 'run.json, of an earlier version, does not say how the job finds IDs.'
    : scan.lineFault === null
      ? 'the rows cannot be compared without the input.'
      : notComparable
  let rows = leftOut('complete', why)
  const sums = new Fingerprinting(run.input)
  let taken: Fingerprinted[] | undefined
  const isAllThere = !isInputLeftOut || run.input.every((file) => isKept(directory, file))
  if (idRules !== null && scan.lineFault === null && isAllThere) {
    try {
      const items = readItems(await openInput(run.input, run.settings, idRules), { onBytes: sums.onBytes })
      rows = await checkRows(run.plan.read, items, settled, isFinished)
      taken = sums.done()
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      rows = wrong('complete', error.message)
    }
  }
  const files = await checkFiles('input', evidence, run.input, taken)
  return [files, files.isRight ? rows : leftOut('complete', why)]
}

async function checkRows(
  read: number,
  input: AsyncIterable<readonly InputItem[]>,
  settled: Settled,
  isFinished: boolean,
): Promise<Check> {
  const batches = settled[Symbol.asyncIterator]()
  let batch: readonly SettledItem[] | null = []
  let at = 0
  let rows = 0
  let left = 0
  let fault: string | null = null
  for await (const items of input) {
    rows += items.length
    for (const { item, outcome } of items) {
      // The rest is read for the fingerprint.
      if (fault !== null) break
      while (batch !== null && at === batch.length) {
        const { value, done }: IteratorResult<readonly SettledItem[]> = await batches.next()
        batch = done ? null : value
        at = 0
      }
      const next = batch?.[at]
      let what: string | null = null
      if (next?.ordinal === item.ordinal) {
        what = rowFault(next, item, outcome)
        at += 1
      } else {
        left += 1
        if (isFinished) what = `${nameOf(item)} has no outcome, and the run is finished`
      }
      if (what !== null) fault = `${item.source}, line ${item.line}: ${what}.`
    }
  }
  if (fault !== null) return wrong('complete', fault)
  const all = counted(rows, 'row')
  if (rows !== read) return wrong('complete', `the input has ${all}, and run.json says ${inDigits(read)}.`)
  return right(
    'complete',
    left === 0
      ? `each of ${all} of the input has exactly one outcome.`
      : `${inDigits(rows - left)} of ${all} have one outcome; the run is not finished.`,
  )
}

/** Rows that the source or an earlier row settle come to the same again; the others to anything but that. */
function rowFault(settled: SettledItem, item: Item, outcome: Outcome | null): string | null {
  const id = nameOf(item)
  if (settled.id !== id)
    return `it holds ${id || 'no ID'}, and the checkpoint has ${settled.id || 'none'} there`
  if (settled.line !== item.line || settled.source !== item.source)
    return `the checkpoint has ${id} at ${settled.source}, line ${settled.line}`
  if (outcome === null) return settled.status === 'duplicate' ? `${id} is no duplicate` : null
  return settled.status === outcome.status
    ? null
    : `${id || 'it'} is ${outcome.status}, and the checkpoint says ${settled.status}`
}

/**
 * Compares the hold lists with their fingerprints, as they were read last, and looks for an item on them that was
 * called since. (An item may have been called before it came onto hold.)
 */
export async function checkHold(evidence: Evidence, settled: Settled): Promise<Check> {
  const { run, scan, idRules: ids } = evidence
  const last = scan.events.findLast((event): event is StartEvent => 'hold' in event)
  const hold = last?.hold ?? run.hold
  const check = await checkFiles('hold', evidence, hold)
  if (check.isRight !== true || ids === null) return check
  const since = JSON.stringify(hold) === JSON.stringify(run.hold) ? '' : last!.at
  const held = new IdSet()
  const { pseudonymOf = (key: string) => key } = ids
  for await (const { keys } of readHoldLists(run.hold, run.settings, ids))
    for (const key of keys) held.add(pseudonymOf(key))
  for await (const batch of settled) {
    const called = batch.find(
      ({ id, attempts, finishedAt }) => attempts > 0 && finishedAt >= since && held.has(idKey(id)),
    )
    if (called !== undefined)
      return wrong('hold', `${called.id} is on hold, and was called (${called.source}, line ${called.line}).`)
  }
  return right('hold', `${check.finding.slice(0, -1)}; none of ${counted(held.size, 'ID')} was called.`)
}

/**
 * Whether every ID of some files has exactly one outcome in the run. An ID that comes again in them has one too, as a
 * duplicate of its first row. Throws a UsageError for a file that cannot be read.
 */
export async function checkIds(
  files: readonly InputFile[],
  settings: InputSettings,
  ids: IdRules,
  settled: Settled,
): Promise<Check> {
  const outcomes = new IdSet()
  // A row that cannot be used may hold an ID, also one that another row holds.
  const unusable = new IdSet()
  for await (const batch of settled) {
    for (const { id, status, source, line } of batch) {
      if (status === 'duplicate') continue
      if (status === 'invalid') unusable.add(idKey(id))
      else if (!outcomes.add(idKey(id)) && ids.typeColumn === undefined)
        return wrong('ids', `${id} has two outcomes in the run; the second is of ${source}, line ${line}.`)
    }
  }
  const named = new Bitset()
  const unknown = new IdSet()
  let missing = 0
  let first = ''
  let rows = 0
  // IDs that come again are found here, so that the reader does not have to remember them all.
  for await (const batch of readItems(await openInput(files, settings, ids), { isFreeOfDuplicates: true })) {
    rows += batch.length
    for (const { item, outcome } of batch) {
      const name = nameOf(item)
      const key = idKey(name)
      const place = outcomes.placeOf(key)
      if (place !== null) named.add(place)
      else if (!unusable.has(key) && (outcome !== null || unknown.add(key)) && ++missing === 1)
        first = `${item.source}, line ${item.line}: ${name || 'a row without an ID'}`
    }
  }
  if (missing > 0) {
    const more = missing === 1 ? '' : ` (and ${inDigits(missing - 1)} more)`
    return wrong('ids', `${first} has no outcome in the run${more}.`)
  }
  const others = outcomes.size - named.size
  const rest = others === 0 ? '' : `; ${counted(others, 'ID')} of the run are not in there`
  return right(
    'ids',
    `each ID of ${counted(rows, 'row')} in ${files.map(({ name }) => name).join(', ')} has exactly one outcome${rest}.`,
  )
}

/** Whether a run keeps the file in its own directory, where it has to be. */
function isKept(directory: RunDirectory, { path }: Fingerprinted): boolean {
  return dirname(path) === directory.path
}

/** Compares files with their fingerprints. Those outside of the run's directory may be left out. */
async function checkFiles(
  name: 'input' | 'hold',
  { directory, isInputLeftOut }: Evidence,
  files: readonly Fingerprinted[],
  taken?: readonly Fingerprinted[],
): Promise<Check> {
  let left = 0
  for (const [index, file] of files.entries()) {
    const isOutside = !isKept(directory, file)
    if (isOutside && isInputLeftOut) {
      left += 1
      continue
    }
    const fault = await fileFault(file, taken?.[index])
    if (fault === null) continue
    const help = fault === gone && isOutside ? '; put it back, or leave it out with --without-input' : ''
    return wrong(name, `${file.name} (${file.path}) ${fault}${help}.`)
  }
  if (left > 0) return leftOut(name, `${counted(left, 'file')} left out, as --without-input says.`)
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  return right(name, `${counted(files.length, 'file')}, ${inDigits(bytes)} bytes: the SHA-256 is unchanged.`)
}

const gone = 'is gone and cannot be compared'

async function fileFault(file: Fingerprinted, taken?: Fingerprinted): Promise<string | null> {
  try {
    const { sha256, bytes } = taken ?? (await fingerprintOf(file))
    if (sha256 === file.sha256 && bytes === file.bytes) return null
    return `is another file than the run has read: ${inDigits(bytes)} bytes with the SHA-256 ${sha256}, and it had ${inDigits(file.bytes)} with ${file.sha256}`
  } catch (error) {
    const isGone = (error as NodeJS.ErrnoException).code === 'ENOENT'
    return isGone ? gone : `cannot be read: ${messageOf(error)}`
  }
}
