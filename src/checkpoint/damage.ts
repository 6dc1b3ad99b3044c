import { hash } from 'node:crypto'
import { copyFileSync, existsSync, readFileSync, renameSync, statSync, truncateSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { syncDirectory } from '../system/files.js'
import { currentUser } from '../system/host.js'
import { counted } from '../system/text.js'
import { eventOf, fieldsOf } from './codec.js'
import { firstHead, Log, readSpan, scanLines } from './log.js'
import { type CheckpointState, StateReader } from './read.js'
import { Line } from './scan.js'

/** What is wrong with a checkpoint. */
export interface Damage {
  /** Where it begins: number and offset of the first damaged line. */
  line: number
  offset: number
  /** The hash of the line before. */
  head: string
  fault: string
  /** Offsets of all damaged lines that have a line end. */
  damaged: ReadonlySet<number>
  /** No whole line follows: a crash leaves this, and a power cut. */
  isTail: boolean
}

const prevStart = Buffer.from(',"prev":"')
const prevLength = prevStart.length + firstHead.length + '"}'.length

/** What is wrong with a checkpoint; null when nothing is. */
export function damageOf(path: string): Damage | null {
  return followChain(path, () => {}).damage
}

/** The same, and what the checkpoint says, read at once. The state is null where that has to be read again once it is mended. */
export function readWithDamage(path: string): { damage: Damage | null; state: CheckpointState | null } {
  const reader = new StateReader()
  const line = new Line(path)
  let fault: unknown = null
  const { damage, bytes, head } = followChain(path, (...place) => {
    if (fault !== null) return
    try {
      line.move(...place)
      reader.onLine(line)
    } catch (error) {
      fault = error
    }
  })
  // Only a last line without its end is missing: the state is that of the lines before it.
  const isTorn = damage?.isTail === true && damage.damaged.size === 0
  if (damage !== null && !isTorn) return { damage, state: null }
  if (fault !== null) throw fault
  return { damage, state: reader.done(bytes, head) }
}

/**
 * Follows the hashes from line to line: a line is as it was written when the next one names its hash. `onLine` gets every
 * line before the first that is damaged.
 */
function followChain(
  path: string,
  onLine: (...place: Parameters<Line['move']>) => void,
): { damage: Damage | null; bytes: number; head: string } {
  if (!existsSync(path)) return { damage: null, bytes: 0, head: firstHead }
  const damaged = new Set<number>()
  const first = { line: 0, offset: 0, head: firstHead, fault: '', damaged, isTail: false }
  let last = { line: 0, offset: 0, head: firstHead, before: firstHead, isDamaged: false }
  const found = (line: number, offset: number, head: string, fault: string) => {
    if (first.line === 0) Object.assign(first, { line, offset, head, fault, isTail: true })
  }
  const bytes = scanLines(path, (buffer, start, end, offset) => {
    const line = last.line + 1
    const head = hash('sha256', buffer.subarray(start, end + 1))
    const follows = names(last.head, buffer, end)
    const isDamaged = !isWhole(buffer, start, end, first.line > 0 || !follows)
    if (isDamaged) {
      damaged.add(offset)
      found(line, offset, last.head, 'is damaged')
    } else {
      if (!last.isDamaged && !follows) {
        if (last.line > 0) damaged.add(last.offset)
        if (last.line === 0) found(1, 0, firstHead, 'names a line before it: the first lines are gone')
        else found(last.line, last.offset, last.before, `was changed: line ${line} does not follow it`)
      }
      if (first.line > 0) first.isTail = false
      else onLine(buffer, start, end, offset)
    }
    last = { line, offset, head, before: last.head, isDamaged }
  })
  const isLastUnsure = first.line === 0 && bytes > 0
  if (isLastUnsure && eventOf(readSpan(path, last.offset, bytes - 1).toString()) === null) {
    damaged.add(last.offset)
    found(last.line, last.offset, last.before, 'is damaged')
  }
  if (statSync(path).size > bytes) found(last.line + 1, bytes, last.head, 'ends too early')
  return { damage: first.line === 0 ? null : first, bytes, head: last.head }
}

/** Cuts a damaged tail off. */
export function cutTail(path: string, { offset }: Damage): void {
  truncateSync(path, offset)
}

/**
 * Writes the checkpoint again without its damaged lines; the damaged file stays beside it. Returns the name that it has
 * then.
 */
export async function leaveOutDamage(path: string, { offset, head, damaged }: Damage): Promise<string> {
  const beside = `${path}.new`
  copyFileSync(path, beside)
  const log = new Log(beside, offset, head)
  log.add(
    fieldsOf({
      event: 'damage-accepted',
      at: new Date().toISOString(),
      by: currentUser(),
      host: hostname(),
      lines: damaged.size,
      sha256: hash('sha256', readFileSync(path)),
    }),
  )
  scanLines(path, (buffer, start, end, at) => {
    if (at < offset || damaged.has(at)) return
    log.add(JSON.parse(`${buffer.toString('utf8', start, end - prevLength)}}`))
  })
  await log.sync()
  log.close()
  let kept = path.replace(/\.jsonl$/, '.damaged.jsonl')
  for (let number = 2; existsSync(kept); number++) kept = path.replace(/\.jsonl$/, `.damaged-${number}.jsonl`)
  renameSync(path, kept)
  renameSync(beside, path)
  syncDirectory(dirname(path))
  return kept
}

/** Says in a sentence where the damage is. */
export function damageText(path: string, { line, fault, damaged }: Damage): string {
  return `${path}, line ${line} ${fault}${damaged.size <= 1 ? '' : ` (${counted(damaged.size, 'line')} in all)`}`
}

const [letterN, letterS, letterL] = Buffer.from('nsl')

/** A line about an item is parsed only when it is doubtful: the line behind it tells whether it is as it was written. */
function isWhole(buffer: Buffer, start: number, end: number, isDoubtful: boolean): boolean {
  const from = end - prevLength
  if (from < start || buffer[end - 1] !== 125 || !startsAt(buffer, from, prevStart)) return false
  const letter = buffer[start + 2]
  const isUsual = letter === letterN || letter === letterS || letter === letterL
  return (isUsual && !isDoubtful) || eventOf(buffer.toString('utf8', start, end)) !== null
}

function names(head: string, buffer: Buffer, end: number): boolean {
  return buffer.toString('latin1', end - 2 - firstHead.length, end - 2) === head
}

function startsAt(buffer: Buffer, from: number, bytes: Buffer): boolean {
  for (let index = 0; index < bytes.length; index++) if (buffer[from + index] !== bytes[index]) return false
  return true
}
