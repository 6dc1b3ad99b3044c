import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { appendFile, chmod, mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readBytes, readHead } from '../../src/sources/bytes.js'
import { UsageError } from '../../src/system/errors.js'

const text = 'conversation_id,note\n66f2a91c4be07d3f5c1e0001,Grüße 🙂\n'.repeat(5_000)

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ada-bulk-bytes-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

async function write(bytes: Uint8Array | string): Promise<string> {
  const path = join(directory, 'conversations.csv')
  await writeFile(path, bytes)
  return path
}

async function read(bytes: Uint8Array | string, onBytes?: (chunk: Uint8Array) => void): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of readBytes(await write(bytes), 'the-file', onBytes)) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

const utf16 = Buffer.from(`\ufeff${text}`, 'utf16le')

test.each([
  ['as it is', text],
  ['UTF-8 with a mark', `\ufeff${text}`],
  ['UTF-16LE', utf16],
  ['UTF-16BE', Buffer.from(utf16).swap16()],
  ['gzip', gzipSync(text)],
  ['gzip of UTF-16', gzipSync(utf16)],
  ['gzip in many members', Buffer.concat(text.match(/[\s\S]{1,9998}/g)!.map((part) => gzipSync(part)))],
  ['gzip with padding', Buffer.concat([gzipSync(text), Buffer.alloc(500_000)])],
])('%s is read as UTF-8, and every byte on disk is seen', async (_, bytes) => {
  const hash = createHash('sha256')
  expect((await read(bytes, (chunk) => hash.update(chunk))) === text).toBe(true)
  expect(hash.digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'))
})

test.each(['', 'a', '\x1f', 'ab'])('the short file %j is read', async (short) => {
  expect(await read(short)).toBe(short)
})

test('gzip that is cut off anywhere or damaged is refused by name', async () => {
  const whole = gzipSync(text)
  const flipped = Buffer.from(whole)
  flipped[Math.floor(whole.length / 2)]! ^= 0xff
  const broken = [3, 12, Math.floor(whole.length / 2), whole.length - 1].map((length) =>
    whole.subarray(0, length),
  )
  const second = Buffer.concat([whole, whole.subarray(0, 100)])
  const hole = Buffer.concat([whole, Buffer.alloc(50), whole])
  const farHole = Buffer.concat([whole, Buffer.alloc(500_000), whole])
  const followed = Buffer.concat([whole, Buffer.from('more')])
  for (const bytes of [...broken, flipped, second, hole, farHole, followed]) {
    const reading = read(bytes)
    await expect(reading).rejects.toThrow(UsageError)
    await expect(reading).rejects.toThrow(/^the-file begins like gzip but is damaged/)
  }
})

test('a missing file, a directory and one without permission are refused in a sentence', async () => {
  const readingOf = (path: string) => readHead(path, 'the-file')
  await expect(readingOf(join(directory, 'missing'))).rejects.toThrow(
    'Cannot read the-file: there is no such file.',
  )
  await expect(readingOf(directory)).rejects.toThrow('Cannot read the-file: this is a directory, not a file.')
  // The superuser may read everything.
  if (process.getuid?.() === 0) return
  const path = await write(text)
  await chmod(path, 0)
  await expect(readingOf(path)).rejects.toThrow('Cannot read the-file: no permission to read it.')
  await chmod(path, 0o600)
})

test('a pipe is refused, since it can be read only once', async () => {
  const pipe = join(directory, 'pipe')
  execFileSync('mkfifo', [pipe])
  // Keeps it open at the other end: opening a pipe waits for that.
  const other = await open(pipe, 'r+')
  await expect(readHead(pipe, 'the-file')).rejects.toThrow('this is no regular file')
  await other.close()
})

test('the head is the first 64 KiB of the content', async () => {
  const start = Buffer.from(text).subarray(0, 65_536)
  for (const bytes of [text, utf16, gzipSync(text)]) {
    expect((await readHead(await write(bytes), 'the-file')).equals(start)).toBe(true)
  }
  expect((await readHead(await write('short'), 'the-file')).toString()).toBe('short')
})

test.each([
  ['appended to', (path: string) => appendFile(path, 'more')],
  ['written over with as many bytes', (path: string) => writeFile(path, text.replaceAll('6', '7'))],
  ['cut', (path: string) => truncate(path, 1000)],
])('a file that is %s while it is read is refused by name', async (_, change) => {
  for (const bytes of [text, gzipSync(randomBytes(300_000))]) {
    const path = await write(bytes)
    const reading = readBytes(path, 'the-file')
    await reading.next()
    await change(path)
    const rest = async () => {
      for await (const _piece of reading);
    }
    await expect(rest()).rejects.toThrow(
      new UsageError(
        'the-file was written to while it was being read. Let whoever writes it finish, and start again.',
      ),
    )
  }
})
