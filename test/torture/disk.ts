import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { dirname, join } from 'node:path'

/** One thing that a program does to the disk, before it is done. */
export interface Step {
  name: 'write' | 'sync' | 'rename' | 'truncate' | 'make' | 'remove'
  path: string
  /** Of a write: brings the first part of its bytes to the file, as when the process dies in the middle of it. */
  tear(part: number): void
}

/** May throw what a disk throws. */
export type BeforeStep = (step: Step) => void

/** What survives a power cut of what is not known to be on disk: from 0 to 1, drawn for each file and name. */
export type Luck = () => number

type Names = Map<string, number>

const original = { ...fs }
let watching: Disk | null = null
/** While the layer itself works on files. */
let isOwn = false

/**
 * Watches all that happens below a directory, and records what is on disk for certain: of a file what it held when
 * it was last synced, of a directory the names that it had when it was last synced. One at a time.
 */
export class Disk {
  beforeStep: BeforeStep = () => {}
  steps = 0
  /** How long a sync takes that somebody waits for. */
  syncMs = 0
  readonly #root: string
  readonly #paths = new Map<number, string>()
  readonly #open = new Set<number>()
  readonly #contents = new Map<number, Buffer>()
  readonly #names = new Map<string, Names>()
  /** Which file a path stands for now; the numbers of inodes are given away again. */
  readonly #files = new Map<string, number>()
  #filesMade = 0

  constructor(root: string) {
    if (watching !== null) throw new Error('Another disk is watched already')
    this.#root = root
    watching = this
    own(() => this.#rememberAll(root))
  }

  /** Files that are still open are closed, as when a process ends. */
  close(): void {
    watching = null
    for (const file of this.#open) original.closeSync(file)
    this.#open.clear()
  }

  /** Somebody else works on this disk: that is no step of the program's, and does not fail. */
  aside(work: () => void): void {
    const { beforeStep, steps } = this
    this.beforeStep = () => {}
    try {
      work()
    } finally {
      this.beforeStep = beforeStep
      this.steps = steps
    }
  }

  /** What a file holds for certain; null when there may be none. */
  certain(path: string): Buffer | null {
    const id = this.#names.get(dirname(path))?.get(path)
    return id === undefined ? null : (this.#contents.get(id) ?? Buffer.alloc(0))
  }

  /** Leaves in another directory what the disk holds after a power cut at this moment. */
  cut(to: string, luck: Luck): void {
    own(() => this.#cut(this.#root, to, luck))
  }

  isBelow(path: unknown): path is string {
    return typeof path === 'string' && path.startsWith(`${this.#root}/`)
  }

  step(name: Step['name'], path: string, tear: Step['tear'] = () => {}): void {
    this.steps += 1
    this.beforeStep({ name, path, tear })
  }

  opened(file: number, path: unknown): void {
    this.#open.add(file)
    if (this.isBelow(path) || path === this.#root) this.#paths.set(file, path)
    else this.#paths.delete(file)
  }

  closed(file: number): void {
    this.#paths.delete(file)
    this.#open.delete(file)
  }

  pathOf(file: number): string | undefined {
    return this.#paths.get(file)
  }

  removed(path: string): void {
    this.#files.delete(path)
  }

  renamed(from: string, to: string): void {
    this.#files.set(to, this.#fileAt(from))
    this.#files.delete(from)
    for (const [file, path] of this.#paths) if (path === from) this.#paths.set(file, to)
  }

  /** What a sync that begins now will have brought to the disk when it is done. */
  syncing(path: string): () => void {
    return own(() => {
      if (original.statSync(path).isDirectory()) {
        const names = this.#namesIn(path)
        return () => void this.#names.set(path, names)
      }
      const file = this.#fileAt(path)
      const content = original.readFileSync(path)
      return () => void this.#contents.set(file, content)
    })
  }

  #fileAt(path: string): number {
    const known = this.#files.get(path)
    if (known !== undefined) return known
    this.#files.set(path, this.#filesMade)
    return this.#filesMade++
  }

  #namesIn(directory: string): Names {
    const paths = original.readdirSync(directory).map((name) => join(directory, name))
    return new Map(paths.map((path) => [path, this.#fileAt(path)]))
  }

  #rememberAll(directory: string): void {
    this.syncing(directory)()
    for (const entry of original.readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name)
      if (entry.isDirectory()) this.#rememberAll(path)
      else this.syncing(path)()
    }
  }

  #cut(from: string, to: string, luck: Luck): void {
    original.mkdirSync(to, { recursive: true })
    const now = this.#namesIn(from)
    const certain = this.#names.get(from) ?? new Map()
    for (const path of new Set([...certain.keys(), ...now.keys()])) {
      const isSame = certain.get(path) === now.get(path)
      const file = isSame || luck() < 0.5 ? certain.get(path) : now.get(path)
      if (file === undefined) continue
      const target = join(to, path.slice(from.length + 1))
      const isNow = file === now.get(path)
      if (isNow && original.statSync(path).isDirectory()) this.#cut(path, target, luck)
      // What was never synced and is gone by now may have been a directory.
      else if (isNow || this.#contents.has(file)) {
        const content = this.#contentAfterCut(file, isNow ? original.readFileSync(path) : null, luck)
        original.writeFileSync(target, content, { mode: 0o600 })
      }
    }
  }

  /** What is certain, and perhaps some of what was added since; or what a file holds that was written anew. */
  #contentAfterCut(file: number, now: Buffer | null, luck: Luck): Buffer {
    const certain = this.#contents.get(file) ?? Buffer.alloc(0)
    if (now === null) return certain
    if (!now.subarray(0, certain.length).equals(certain)) return luck() < 0.5 ? certain : now
    const added = now.length - certain.length
    return now.subarray(0, certain.length + Math.floor(luck() * (added + 1)))
  }
}

/** What a killed process leaves is what it has written. */
export function copyBelow(from: string, to: string): void {
  own(() => {
    original.mkdirSync(to, { recursive: true })
    for (const entry of original.readdirSync(from, { withFileTypes: true })) {
      const [path, target] = [join(from, entry.name), join(to, entry.name)]
      if (entry.isDirectory()) copyBelow(path, target)
      else original.copyFileSync(path, target)
    }
  })
}

function own<T>(work: () => T): T {
  const before = isOwn
  isOwn = true
  try {
    return work()
  } finally {
    isOwn = before
  }
}

const nothing = () => {}

function onDisk(work: (disk: Disk) => void): void {
  if (watching !== null && !isOwn) work(watching)
}

fs.openSync = (path, flags, ...rest) => {
  const file = original.openSync(path, flags, ...rest)
  onDisk((disk) => disk.opened(file, path))
  return file
}

fs.closeSync = (file) => {
  onDisk((disk) => disk.closed(file))
  original.closeSync(file)
}

fs.writeSync = ((file: number, data: string | Uint8Array, ...rest: [number?, number?, number?]) => {
  onDisk((disk) => {
    const path = disk.pathOf(file)
    if (path === undefined) return
    const bytes = Buffer.from(data as Uint8Array).subarray(rest[0] ?? 0)
    const tear = (part: number) =>
      own(() => original.writeSync(file, bytes, 0, Math.floor(bytes.length * part)))
    disk.step('write', path, tear)
  })
  return (original.writeSync as (...all: unknown[]) => number)(file, data, ...rest)
}) as typeof fs.writeSync

fs.writeFileSync = (path, data, options) => {
  onDisk((disk) => disk.isBelow(path) && disk.step('write', path))
  original.writeFileSync(path, data, options)
}

fs.ftruncateSync = (file, length) => {
  onDisk((disk) => {
    const path = disk.pathOf(file)
    if (path !== undefined) disk.step('truncate', path)
  })
  original.ftruncateSync(file, length)
}

fs.fsyncSync = (file) => {
  let synced = nothing
  onDisk((disk) => {
    const path = disk.pathOf(file)
    if (path === undefined) return
    disk.step('sync', path)
    synced = disk.syncing(path)
  })
  // What the layer has recorded is as good as synced, and costs less.
  if (synced === nothing) original.fsyncSync(file)
  else synced()
}

fs.fdatasync = ((file: number, done: (error: NodeJS.ErrnoException | null) => void) => {
  let synced = nothing
  try {
    onDisk((disk) => {
      const path = disk.pathOf(file)
      if (path === undefined) return
      disk.step('sync', path)
      synced = disk.syncing(path)
    })
  } catch (error) {
    setImmediate(done, error as NodeJS.ErrnoException)
    return
  }
  if (synced === nothing) return original.fdatasync(file, done)
  const end = () => {
    synced()
    done(null)
  }
  const syncMs = watching?.syncMs ?? 0
  if (syncMs > 0) setTimeout(end, syncMs)
  else setImmediate(end)
}) as typeof fs.fdatasync

fs.renameSync = (from, to) => {
  onDisk((disk) => disk.isBelow(to) && disk.step('rename', to))
  original.renameSync(from, to)
  onDisk((disk) => disk.renamed(String(from), String(to)))
}

fs.mkdirSync = ((path: string, options: fs.MakeDirectoryOptions) => {
  onDisk((disk) => disk.isBelow(path) && disk.step('make', path))
  return original.mkdirSync(path, options)
}) as typeof fs.mkdirSync

for (const name of ['unlinkSync', 'rmSync'] as const) {
  fs[name] = (path: fs.PathLike, options?: fs.RmOptions) => {
    onDisk((disk) => {
      if (!disk.isBelow(path)) return
      disk.step('remove', path)
      disk.removed(path)
    })
    original[name](path, options)
  }
}

syncBuiltinESMExports()
