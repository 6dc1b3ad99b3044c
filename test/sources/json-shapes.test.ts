import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { json } from '../../src/sources/json.js'
import { cutAt, cutEvery, rowsIn, saved } from './json-shapes.js'
import { readRows } from './source-contract.js'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ada-bulk-export-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

test('the same records come out of every shape in order, each with its line, however the bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(saved, fc.array(fc.nat(), { maxLength: 8 }), async ({ text, rows }, cuts) => {
      expect(await rowsIn(cutAt(Buffer.from(text), cuts))).toEqual(rows)
    }),
    { numRuns: 2_000 },
  )
})

test('so they do byte by byte', async () => {
  await fc.assert(
    fc.asyncProperty(saved, async ({ text, rows }) => {
      expect(await rowsIn(cutEvery(Buffer.from(text), 1))).toEqual(rows)
    }),
    { numRuns: 200 },
  )
})

test('so they do out of a file, in any encoding, packed or not', async () => {
  const path = join(directory, 'export.json')
  const encodings: Record<string, (text: string) => Buffer> = {
    utf8: (text) => Buffer.from(text),
    'utf8 with mark': (text) => Buffer.from(`\ufeff${text}`),
    utf16le: (text) => Buffer.from(`\ufeff${text}`, 'utf16le'),
    utf16be: (text) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16(),
  }
  const encoding = fc.constantFrom(...Object.keys(encodings))
  await fc.assert(
    fc.asyncProperty(saved, encoding, fc.boolean(), async ({ text, rows }, name, isPacked) => {
      const bytes = encodings[name]!(text)
      await writeFile(path, isPacked ? gzipSync(bytes) : bytes)
      expect(await readRows(json, path)).toEqual(rows)
    }),
    { numRuns: 300 },
  )
})

test('a file cut off anywhere is refused at its end, or gives exactly the whole records before that', async () => {
  await fc.assert(
    fc.asyncProperty(saved, fc.nat(), async ({ text, rows, ends }, place) => {
      const cut = place % Buffer.byteLength(text)
      const start = Buffer.from(text).subarray(0, cut)
      const whole = rows.slice(0, ends.filter((end) => end <= cut).length)
      expect(await rowsIn([start], true)).toEqual(whole)
      const refused = await rowsIn([start]).catch((error: Error) => error.message)
      // Between two values of many nothing is missing that could be noticed.
      if (typeof refused !== 'string') expect(refused).toEqual(whole)
      else if (start.toString().trim() === '') expect(refused).toContain('the-file is empty')
      else {
        const line = start.toString('latin1').split('\n').length
        const records = whole.length === 1 ? '1 whole record' : `${whole.length} whole records`
        expect(refused).toContain(
          `the-file is cut off at line ${line}, byte ${cut + 1}, with ${records} before`,
        )
      }
    }),
    { numRuns: 2_000 },
  )
})

test('one of UTF-16 too, at every byte', async () => {
  const path = join(directory, 'cut.json')
  const text = '[{"_id":"a","note":"é🙂"}, {"_id":"b"}\n]'
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le')
  for (let length = 3; length < bytes.length; length++) {
    await writeFile(path, bytes.subarray(0, length))
    const accepted = await readRows(json, path, { acceptTruncated: true })
    const whole = text.slice(0, (length - 2) >> 1).split('}').length - 1
    expect(accepted.map((row) => row.id)).toEqual(['a', 'b'].slice(0, whole))
    await expect(readRows(json, path)).rejects.toThrow(
      `with ${whole} whole ${whole === 1 ? 'record' : 'records'} before that`,
    )
  }
})
