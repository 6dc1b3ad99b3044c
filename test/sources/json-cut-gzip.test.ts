import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readBytes } from '../../src/sources/bytes.js'
import { json } from '../../src/sources/json.js'
import { readRows } from './source-contract.js'

const lines = Array.from({ length: 5_000 }, (_, n) => `{"_id":"${n}","note":"${Math.imul(n, 2654435761)}"}\n`)
const whole = gzipSync(lines.join(''))
const cuts = [10, 100, 3_000, Math.floor(whole.length / 2), whole.length - 9, whole.length - 1]

let path: string
beforeAll(async () => {
  path = join(await mkdtemp(join(tmpdir(), 'ada-bulk-cut-')), 'export.jsonl.gz')
})
afterAll(() => rm(join(path, '..'), { recursive: true, force: true }))

test.each(cuts)(
  'a gzip cut off after %i bytes gives the whole records before that, if so asked',
  async (length) => {
    const start = whole.subarray(0, length)
    await writeFile(path, start)
    const unpacked = gunzipSync(start, { finishFlush: 2 }).toString()
    const rows = await readRows(json, path, { acceptTruncated: true })
    expect(rows.map(({ id }) => id)).toEqual(
      unpacked
        .split('}')
        .slice(0, -1)
        .map((_, n) => String(n)),
    )
    await expect(readRows(json, path)).rejects.toThrow(
      `the-file is cut off at line ${unpacked.split('\n').length}, byte ${unpacked.length + 1}, with ${rows.length} whole record`,
    )
  },
)

test('all of it is given, however slowly it is taken', async () => {
  for (const length of [whole.length - 1, Math.floor(whole.length / 2)]) {
    const start = whole.subarray(0, length)
    await writeFile(path, start)
    const pieces: Buffer[] = []
    const reading = (async () => {
      for await (const piece of readBytes(path, 'the-file')) {
        pieces.push(piece)
        // Time for what goes wrong to go wrong.
        await pause(30)
      }
    })()
    await expect(reading).rejects.toThrow('cut off')
    expect(Buffer.concat(pieces).equals(gunzipSync(start, { finishFlush: 2 }))).toBe(true)
  }
})

test('a damaged one is refused all the same', async () => {
  const damaged = Buffer.from(whole)
  // In the checksum.
  damaged[whole.length - 6]! ^= 0xff
  await writeFile(path, damaged)
  await expect(readRows(json, path, { acceptTruncated: true })).rejects.toThrow('damaged')
})
