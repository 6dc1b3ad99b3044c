import { fstatSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { UsageError } from '../system/errors.js'

type Bytes = AsyncGenerator<Buffer, void, undefined>

const chunkBytes = 128 * 1024
export const headBytesMax = 64 * 1024

/**
 * The content of a file as UTF-8, in pieces: unpacked if it is gzip, transcoded if a byte order mark says UTF-16,
 * without the mark. `onBytes` sees every byte on disk, also those after the packed data. Stopping early closes the file.
 * Throws a UsageError when the file cannot be read, or is written to while it is read.
 */
export async function* readBytes(
  path: string,
  name: string,
  onBytes?: (chunk: Uint8Array) => void,
): AsyncGenerator<Buffer, void, undefined> {
  const file = await openFile(path, name)
  try {
    yield* decoded(unpacked(bytesOf(file, name, onBytes), name))
  } finally {
    await file.close()
  }
}

/** Whether `readBytes` threw this because a gzip is truncated. It has given everything before. */
export function isCutOff(error: unknown): boolean {
  return (
    error instanceof UsageError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'Z_BUF_ERROR'
  )
}

/** The first 64 KiB of what `readBytes` gives. A truncated gzip is not reported here, but by reading the rest. */
export async function readHead(path: string, name: string): Promise<Buffer> {
  const pieces: Buffer[] = []
  let length = 0
  try {
    for await (const piece of readBytes(path, name)) {
      pieces.push(piece)
      length += piece.length
      if (length >= headBytesMax) break
    }
  } catch (error) {
    if (!isCutOff(error)) throw error
  }
  return Buffer.concat(pieces).subarray(0, headBytesMax)
}

async function openFile(path: string, name: string): Promise<FileHandle> {
  const file = await open(path).catch((error: unknown) => refuse(error, name))
  const kind = await file.stat()
  if (kind.isFile()) return file
  await file.close()
  // An input is read more than once, and a pipe gives each byte only to one reader.
  throw new UsageError(
    kind.isDirectory()
      ? `Cannot read ${name}: this is a directory, not a file.`
      : `Cannot read ${name}: this is no regular file. Give a pipe as standard input instead: -.`,
  )
}

/** The bytes of a file as they lie on disk. `onBytes` sees each piece first. */
async function* bytesOf(
  file: FileHandle,
  name: string,
  onBytes: ((chunk: Uint8Array) => void) | undefined,
): Bytes {
  const begun = stateOf(file)
  for (;;) {
    // A new buffer each time: the reader may still hold the last one.
    const { bytesRead, buffer } = await file
      .read(Buffer.allocUnsafeSlow(chunkBytes), 0, chunkBytes)
      .catch((error: unknown) => refuse(error, name))
    if (stateOf(file) !== begun) {
      throw new UsageError(
        `${name} was written to while it was being read. Let whoever writes it finish, and start again.`,
      )
    }
    if (bytesRead === 0) return
    const chunk = buffer.subarray(0, bytesRead)
    onBytes?.(chunk)
    yield chunk
  }
}

/** Changes when the file is written to. A run may read for hours, and must read the bytes that were counted. */
function stateOf(file: FileHandle): string {
  const { size, mtimeNs } = fstatSync(file.fd, { bigint: true })
  return `${size} ${mtimeNs}`
}

function refuse(error: unknown, name: string): never {
  const { code } = error as NodeJS.ErrnoException
  if (code === undefined) throw error
  const reasons: Record<string, string> = {
    ENOENT: 'there is no such file',
    ENOTDIR: 'there is no such file',
    EACCES: 'no permission to read it',
    EPERM: 'no permission to read it',
  }
  throw new UsageError(`Cannot read ${name}: ${reasons[code] ?? (error as Error).message}.`)
}

async function* unpacked(bytes: Bytes, name: string): Bytes {
  const { start, rest } = await startOf(bytes, 2)
  if (start[0] !== 0x1f || start[1] !== 0x8b) {
    yield* rest
    return
  }
  const gunzip = createGunzip({ chunkSize: chunkBytes })
  let rawLength = 0
  let contentEnd = 0
  const next = async (): Promise<Buffer | undefined> => {
    const { value, done } = await rest.next()
    if (done) return undefined
    const length = lengthWithoutZeros(value)
    if (length > 0) contentEnd = rawLength + length
    rawLength += value.length
    return value
  }
  const feed = async function* (): Bytes {
    for (let chunk = await next(); chunk; chunk = await next()) yield chunk
  }
  let isFed = false
  // If the end is missing, that is an error, and an error throws away what is unpacked and not read yet.
  const endWhenRead = () => {
    if (isFed && gunzip.readableLength === 0) gunzip.end()
  }
  const fed = () =>
    gunzip.write(Buffer.alloc(0), () => {
      isFed = true
      endWhenRead()
    })
  // What goes wrong in it comes out of the loop below.
  const feeding = pipeline(feed, gunzip, { end: false }).then(
    fed,
    (error: Error) => void gunzip.destroy(error),
  )
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      endWhenRead()
      yield chunk
    }
  } catch (error) {
    throw error instanceof UsageError ? error : damaged(name, error as Error)
  } finally {
    gunzip.destroy()
    await feeding
  }
  // After padding with zeros zlib reads no further: `onBytes` wants the rest, and nothing may be forgotten in it.
  while (await next());
  if (contentEnd > gunzip.bytesWritten) throw damaged(name, new Error('something follows its end'))
}

async function* decoded(bytes: Bytes): Bytes {
  const { start, rest } = await startOf(bytes, 3)
  const encoding = utf16Of(start)
  if (encoding !== undefined) {
    // It takes the mark away.
    const decoder = new TextDecoder(encoding)
    for await (const chunk of rest) yield Buffer.from(decoder.decode(chunk, { stream: true }))
    yield Buffer.from(decoder.decode())
    return
  }
  const hasMark = start[0] === 0xef && start[1] === 0xbb && start[2] === 0xbf
  if (hasMark) {
    await rest.next()
    yield start.subarray(3)
  }
  yield* rest
}

function utf16Of(start: Buffer): string | undefined {
  if (start[0] === 0xff && start[1] === 0xfe) return 'utf-16le'
  if (start[0] === 0xfe && start[1] === 0xff) return 'utf-16be'
  return undefined
}

/** Looks at the first bytes, however they are cut; `rest` gives all of them again. */
async function startOf(bytes: Bytes, length: number): Promise<{ start: Buffer; rest: Bytes }> {
  let start: Buffer = Buffer.alloc(0)
  while (start.length < length) {
    const { value, done } = await bytes.next()
    if (done) break
    start = start.length === 0 ? value : Buffer.concat([start, value])
  }
  const rest = async function* (): Bytes {
    if (start.length > 0) yield start
    yield* bytes
  }
  return { start, rest: rest() }
}

function lengthWithoutZeros(chunk: Buffer): number {
  let length = chunk.length
  while (length > 0 && chunk[length - 1] === 0) length--
  return length
}

function damaged(name: string, cause: Error): UsageError {
  return new UsageError(
    `${name} begins like gzip but is damaged or cut off (${cause.message}). Get a whole copy of the file.`,
    { cause },
  )
}
