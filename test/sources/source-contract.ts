import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Source, SourceOptions, SourceRow } from '../../src/sources/source.js'
import { UsageError } from '../../src/system/errors.js'

/** A row without its methods, to be compared. */
export interface PlainRow {
  id: string
  line: number
  problem: string | undefined
  record: Record<string, unknown>
}

export async function readRows(
  source: Source,
  path: string,
  options: SourceOptions = {},
): Promise<PlainRow[]> {
  const rows: PlainRow[] = []
  for await (const batch of source.rows({ name: 'the-file', path }, options)) rows.push(...batch.map(plain))
  return rows
}

function plain(row: SourceRow): PlainRow {
  return { id: row.id, line: row.line, problem: row.problem, record: { ...row.record() } }
}

/** What every source promises. `content` is a file that it reads, with at least two rows; better more than 1 MiB. */
export function describeSource(source: Source, content: Buffer): void {
  describe(`the source contract: ${source.format}`, () => {
    let directory: string
    const write = async (name: string, bytes: Uint8Array) => {
      await writeFile(join(directory, name), bytes)
      return join(directory, name)
    }

    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'ada-bulk-source-'))
    })
    afterAll(() => rm(directory, { recursive: true, force: true }))

    test('it recognises its own kind of file', () => {
      expect(source.recognises(content.subarray(0, 65536))).toBe(true)
    })

    test('rows come in order, each line no earlier than the one before', async () => {
      const rows = await readRows(source, await write('plain', content))
      expect(rows.length).toBeGreaterThan(1)
      for (const [index, row] of rows.entries())
        expect(row.line).toBeGreaterThanOrEqual(rows[index - 1]?.line ?? 1)
    })

    test('the same bytes give the same rows, packed with gzip and in any encoding', async () => {
      const rows = await readRows(source, await write('plain', content))
      const text = content.toString()
      const half = Math.floor(content.length / 2)
      const forms = {
        again: content,
        gzip: gzipSync(content),
        members: Buffer.concat([gzipSync(content.subarray(0, half)), gzipSync(content.subarray(half))]),
        utf8: Buffer.from(`\ufeff${text}`),
        utf16le: Buffer.from(`\ufeff${text}`, 'utf16le'),
        utf16be: Buffer.from(`\ufeff${text}`, 'utf16le').swap16(),
        both: gzipSync(Buffer.from(`\ufeff${text}`, 'utf16le')),
      }
      for (const [name, bytes] of Object.entries(forms)) {
        const same = await readRows(source, await write(name, bytes))
        // Compared by text: a difference between thousands of rows takes vitest minutes to print.
        expect(JSON.stringify(same) === JSON.stringify(rows), name).toBe(true)
      }
    })

    test('every byte is seen as it lies on disk, in order', async () => {
      const packed = Buffer.concat([gzipSync(content), Buffer.alloc(300_000)])
      for (const bytes of [content, packed]) {
        const hash = createHash('sha256')
        await readRows(source, await write('seen', bytes), { onBytes: (chunk) => hash.update(chunk) })
        expect(hash.digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'))
      }
    })

    test('stopping early closes the file', async () => {
      for (const name of ['stopped', 'stopped.gz']) {
        const path = await write(name, name.endsWith('gz') ? gzipSync(content) : content)
        for await (const _ of source.rows({ name, path }, {})) break
        expect(await openFiles()).not.toContain(path)
      }
    })

    test('a file that cannot be read is a usage error that names it', async () => {
      const cut = gzipSync(content).subarray(0, -5)
      for (const path of [join(directory, 'missing'), directory, await write('cut', cut)]) {
        const reading = readRows(source, path)
        await expect(reading).rejects.toThrow(UsageError)
        await expect(reading).rejects.toThrow('the-file')
      }
    })
  })
}

async function openFiles(): Promise<string[]> {
  if (process.platform !== 'linux') return []
  const names = await readdir('/proc/self/fd')
  return Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')))
}
