import fc from 'fast-check'

/** How often each property is tried; `FUZZ_RUNS=20000` for a night. */
export const fuzzRuns = (times: number) => ({
  numRuns: Math.ceil(Number(process.env.FUZZ_RUNS ?? times)),
  ...(process.env.FUZZ_SEED === undefined ? {} : { seed: Number(process.env.FUZZ_SEED) }),
})

type Bend = (bytes: Buffer) => Buffer

const part = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const at = (bytes: Buffer, where: number) => Math.floor(where * (bytes.length + 1))
const splice = (bytes: Buffer, from: number, to: number, put: Uint8Array) =>
  Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(to)])

/** What readers stumble over. */
const stones = fc.constantFrom(
  ...[
    '"',
    '\\',
    '\n',
    '\r',
    '\r\n',
    ',',
    '{',
    '}',
    '[',
    ']',
    '[[[[[[[[',
    'null',
    'true',
    '-1',
    '1e999',
    '0',
    'NaN',
    '""',
  ],
  ...[
    '9007199254740993',
    '__proto__',
    '"constructor":{}',
    '{"n":',
    '"event":"finished"',
    '\u2028',
    '🙂',
    '\u0000',
    '\ufeff',
  ],
)

const bend: fc.Arbitrary<Bend> = fc.oneof(
  fc.tuple(part, fc.nat(255)).map(
    ([where, byte]): Bend =>
      (bytes) =>
        splice(bytes, at(bytes, where), at(bytes, where) + 1, Buffer.of(byte)),
  ),
  fc.tuple(part, stones).map(
    ([where, stone]): Bend =>
      (bytes) =>
        splice(bytes, at(bytes, where), at(bytes, where), Buffer.from(stone)),
  ),
  fc.tuple(part, part).map(
    ([one, other]): Bend =>
      (bytes) =>
        splice(bytes, at(bytes, Math.min(one, other)), at(bytes, Math.max(one, other)), Buffer.alloc(0)),
  ),
  fc.tuple(part, part, part).map(
    ([one, other, to]): Bend =>
      (bytes) => {
        const copied = bytes.subarray(at(bytes, Math.min(one, other)), at(bytes, Math.max(one, other)))
        return splice(bytes, at(bytes, to), at(bytes, to), copied)
      },
  ),
  part.map(
    (where): Bend =>
      (bytes) =>
        bytes.subarray(0, at(bytes, where)),
  ),
  // A value of another kind, where the file is JSON.
  fc.tuple(fc.nat(50), stones).map(
    ([nth, stone]): Bend =>
      (bytes) => {
        let seen = 0
        const text = bytes
          .toString('latin1')
          .replace(/:\s*("[^"]*"|[\d.]+|true|false|null)/g, (all) => (seen++ === nth ? `:${stone}` : all))
        return Buffer.from(text, 'latin1')
      },
  ),
)

/** Ways in which a file that was right can have gone wrong. */
export const bends: fc.Arbitrary<Bend> = fc
  .array(bend, { minLength: 1, maxLength: 4 })
  .map((all) => (bytes) => all.reduce((bent, one) => one(bent), bytes))

/** Rejects when the work takes longer than anything here may. */
export async function inTime<T>(work: Promise<T>, ms = 20_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It hangs: not done after ${ms} ms`)), ms)
  })
  return Promise.race([work, patience]).finally(() => clearTimeout(timer))
}
