import {
  closeSync,
  linkSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { UsageError } from '../system/errors.js'
import { makeDirectory, readSmallText } from '../system/files.js'
import { isAlive, type ProcessIdentity, thisProcess } from '../system/host.js'
import { messageOf } from '../system/text.js'

/** Who holds a lock, as the lock file tells it. */
export interface LockHolder extends ProcessIdentity {
  /** ISO 8601, UTC. */
  since: string
  /** What the holder does: the run's directory. */
  run: string
}

export type LockAttempt = { lock: Lock } | { lock: null; holder: LockHolder }

export interface Lock {
  /** False from when another process has taken over: this one stood still for longer than the lock lives. Looks at most once a second. */
  isHeld(): boolean
  release(): void
  /** Releases it and leaves no file. Only where something else keeps a second one out from now on. */
  remove(): void
}

/** A holder that this host cannot look at (other host, other container) shows that it lives by touching its file. */
const touchEveryMs = 15_000
const staleAfterMs = 120_000

const released = 'released\n'

export const holderSchema = z.object({
  pid: z.number().int().positive(),
  startedAt: z.string(),
  host: z.string(),
  boot: z.string(),
  namespace: z.string(),
  since: z.string(),
  run: z.string(),
})

/**
 * Takes the lock `name` in a directory, or says who holds it. A holder that crashed holds nothing: it is told by
 * its process ID with start time.
 *
 * The lock is a file for each generation, `name.1`, `name.2`, …; the highest counts, and link(2) lets one process
 * only make the next. No file is ever taken over or removed while it is the highest, so two that find the same
 * dead holder cannot both come in.
 */
export function takeLock(
  directory: string,
  name: string,
  run: string,
  onLost: (holder: LockHolder) => void = () => {},
): LockAttempt {
  makeDirectory(directory, 0o700)
  const holder: LockHolder = { ...thisProcess(), since: new Date().toISOString(), run }
  for (;;) {
    const highest = highestGeneration(directory, name)
    const current = highest === 0 ? null : holderOf(join(directory, `${name}.${highest}`))
    if (current !== null) return { lock: null, holder: current }
    const mine = highest + 1
    if (!makeGeneration(directory, name, mine, holder)) continue
    if (highestGeneration(directory, name) !== mine) {
      removeGeneration(directory, name, mine)
      continue
    }
    removeGenerationsBelow(directory, name, mine)
    return {
      lock: holdLock(directory, name, mine, (next) =>
        onLost(next ?? { ...holder, pid: 0, host: 'another host' }),
      ),
    }
  }
}

/** Who holds the lock now; null when nobody does. */
export function lockHolder(directory: string, name: string): LockHolder | null {
  const highest = highestGeneration(directory, name)
  return highest === 0 ? null : holderOf(join(directory, `${name}.${highest}`))
}

const lookAgainMs = 1000

function holdLock(
  directory: string,
  name: string,
  mine: number,
  onLost: (holder: LockHolder | null) => void,
): Lock {
  const path = join(directory, `${name}.${mine}`)
  let isLost = false
  let lookedMs = performance.now()
  const look = () => {
    lookedMs = performance.now()
    try {
      const highest = isLost ? 0 : highestGeneration(directory, name)
      if (highest <= mine) return
      isLost = true
      onLost(holderOf(join(directory, `${name}.${highest}`)))
    } catch {
      // A directory that cannot be read says nothing of another holder; a lock that cannot be read is still another's.
      if (isLost) onLost(null)
    }
  }
  const touching = setInterval(() => {
    look()
    if (isLost) return clearInterval(touching)
    try {
      utimesSync(path, new Date(), new Date())
    } catch {}
  }, touchEveryMs).unref()
  const release = () => {
    clearInterval(touching)
    look()
    // A lower generation that came back would be in nobody's way, and of no use.
    if (isLost) return
    try {
      writeWhole(path, released, 'w')
    } catch {}
  }
  return {
    isHeld() {
      if (!isLost && performance.now() - lookedMs > lookAgainMs) look()
      return !isLost
    },
    release,
    remove() {
      release()
      rmSync(path, { force: true })
    },
  }
}

function makeGeneration(directory: string, name: string, generation: number, holder: LockHolder): boolean {
  const beside = join(directory, `.${name}.${process.pid}.${Math.random().toString(36).slice(2)}`)
  writeWhole(beside, `${JSON.stringify(holder)}\n`, 'wx')
  try {
    linkSync(beside, join(directory, `${name}.${generation}`))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    unlinkSync(beside)
  }
}

function writeWhole(path: string, text: string, flags: string): void {
  const file = openSync(path, flags, 0o600)
  try {
    writeSync(file, text)
  } finally {
    closeSync(file)
  }
}

function highestGeneration(directory: string, name: string): number {
  return generations(directory, name).reduce((highest, generation) => Math.max(highest, generation), 0)
}

function removeGenerationsBelow(directory: string, name: string, generation: number): void {
  for (const old of generations(directory, name).filter((other) => other < generation)) {
    removeGeneration(directory, name, old)
  }
}

/** Only for tidiness: a generation that is not the highest does not count, and somebody else may remove it first. */
function removeGeneration(directory: string, name: string, generation: number): void {
  try {
    unlinkSync(join(directory, `${name}.${generation}`))
  } catch {}
}

function generations(directory: string, name: string): number[] {
  try {
    return readdirSync(directory)
      .filter((file) => file.startsWith(`${name}.`) && /^\d+$/.test(file.slice(name.length + 1)))
      .map((file) => Number(file.slice(name.length + 1)))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** The holder that a lock file names, when it lives. A file that is gone was superseded: look again, nobody holds it. */
function holderOf(path: string): LockHolder | null {
  try {
    const text = readSmallText(path)
    if (text === released || text === '') return null
    const holder = holderSchema.safeParse(JSON.parse(text)).data
    if (holder === undefined) return null
    const alive = isAlive(holder)
    if (alive === 'unknown') return Date.now() - statSync(path).mtimeMs < staleAfterMs ? holder : null
    return alive ? holder : null
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || error instanceof SyntaxError) return null
    throw new UsageError(
      `cannot read the lock ${path} (${messageOf(error)}). See that nobody is at work there, and remove it.`,
    )
  }
}
