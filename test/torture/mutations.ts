import fc from 'fast-check'

/** How often each property is tried; `FUZZ_RUNS=20000` for a night. */
export const fuzzRuns = (times: number) => ({
  numRuns: Math.ceil(Number(process.env.FUZZ_RUNS ?? times)),
  ...(process.env.FUZZ_SEED === undefined ? {} : { seed: Number(process.env.FUZZ_SEED) }),
})

type Mutation = (bytes: Buffer) => Buffer

const part = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const at = (bytes: Buffer, where: number) => Math.floor(where * (bytes.length + 1))
const span = fc.tuple(part, part)
const from = (bytes: Buffer, [one, other]: [number, number]) => at(bytes, Math.min(one, other))
const to = (bytes: Buffer, [one, other]: [number, number]) => at(bytes, Math.max(one, other))
const by = (mutation: Mutation) => mutation
const splice = (bytes: Buffer, from: number, to: number, put: Uint8Array) =>
  Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(to)])

/** Readers stumble over these. */
const stumbles = fc.constantFrom(
  ...['\n', '\r', '\r\n', '\u2028', '\u0000', '\ufeff'],
  ...`" \\ , { } [ ] [[[[[[[[ null true -1 1e999 0 NaN "" 9007199254740993 __proto__ 🙂`.split(' '),
  ...`"constructor":{} {"n": "event":"finished"`.split(' '),
)
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc
    .tuple(part, fc.nat(255))
    .map(([where, byte]) =>
      by((bytes) => splice(bytes, at(bytes, where), at(bytes, where) + 1, Buffer.of(byte))),
    ),
  fc
    .tuple(part, stumbles)
    .map(([where, stone]) =>
      by((bytes) => splice(bytes, at(bytes, where), at(bytes, where), Buffer.from(stone))),
    ),
  span.map((span) => by((bytes) => splice(bytes, from(bytes, span), to(bytes, span), Buffer.alloc(0)))),
  fc.tuple(span, part).map(([span, where]) =>
    by((bytes) => {
      const copied = bytes.subarray(from(bytes, span), to(bytes, span))
      return splice(bytes, at(bytes, where), at(bytes, where), copied)
    }),
  ),
  part.map((where) => by((bytes) => bytes.subarray(0, at(bytes, where)))),
  // A value of another kind, where the file is JSON.
  fc.tuple(fc.nat(50), stumbles).map(([nth, stone]) =>
    by((bytes) => {
      let seen = 0
      const text = bytes
        .toString('latin1')
        .replace(/:\s*("[^"]*"|[\d.]+|true|false|null)/g, (all) => (seen++ === nth ? `:${stone}` : all))
      return Buffer.from(text, 'latin1')
    }),
  ),
)

/** Ways in which a file that was right can have gone wrong. */
export const mutations: fc.Arbitrary<Mutation> = fc
  .array(mutation, { minLength: 1, maxLength: 4 })
  .map((all) => (bytes) => all.reduce((mutated, one) => one(mutated), bytes))

/** Rejects when the work takes longer than anything here may. */
export async function inTime<T>(work: Promise<T>, ms = 20_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It hangs: not done after ${ms} ms`)), ms)
  })
  return Promise.race([work, timeout]).finally(() => clearTimeout(timer))
}
