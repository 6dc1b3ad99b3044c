import { fstatSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { UsageError } from '../system/errors.js'

export type Bytes = AsyncGenerator<Buffer, void, undefined>

export const chunkBytes = 128 * 1024

/** Opens a file of the input; whoever does it closes it. */
export async function openFile(path: string, name: string): Promise<FileHandle> {
  const file = await open(path).catch((error: unknown) => refuse(error, name))
  try {
    await refuseUnlessFile(file, name)
    return file
  } catch (error) {
    await file.close()
    throw error
  }
}

/** The bytes of a file as they lie on disk. `onBytes` sees each piece before it is handed on. */
export async function* bytesOf(
  file: FileHandle,
  name: string,
  onBytes: ((chunk: Uint8Array) => void) | undefined,
): Bytes {
  const begun = stateOf(file)
  for (;;) {
    // A new buffer each time: whoever reads may still hold the last one.
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

/** An input is read more than once, and a pipe gives each byte only to one reader: the others would miss it. */
async function refuseUnlessFile(file: FileHandle, name: string): Promise<void> {
  const kind = await file.stat()
  if (kind.isDirectory()) throw new UsageError(`Cannot read ${name}: this is a directory, not a file.`)
  if (!kind.isFile()) {
    throw new UsageError(
      `Cannot read ${name}: this is no regular file. Give a pipe as standard input instead: -.`,
    )
  }
}

/** A run may read for hours, and what is written meanwhile is not what was counted. */
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
