import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inflateRawSync } from 'node:zlib'

/** Unpacks a small ZIP archive by its central directory; returns the names in their order. */
export function unzip(archive: Buffer, into: string): string[] {
  mkdirSync(into, { recursive: true })
  const end = archive.lastIndexOf('PK\x05\x06')
  const names: string[] = []
  let at = archive.readUInt32LE(end + 16)
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    const [method, bytes] = [archive.readUInt16LE(at + 10), archive.readUInt32LE(at + 20)]
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) =>
      archive.readUInt16LE(at + offset),
    ) as [number, number, number]
    const name = archive.toString('utf8', at + 46, at + 46 + nameLength)
    const local = archive.readUInt32LE(at + 42)
    const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28)
    const packed = archive.subarray(start, start + bytes)
    writeFileSync(join(into, name), method === 0 ? packed : inflateRawSync(packed))
    names.push(name)
    at += 46 + nameLength + extraLength + commentLength
  }
  return names
}
