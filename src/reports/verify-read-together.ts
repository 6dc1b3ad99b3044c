type Give<T> = (next: Promise<IteratorResult<T>>) => void

/**
 * Has several readers go through something that can be gone through once: each is given the next as soon as all that
 * still read have asked for it. Returns what the readers come to.
 */
export async function readTogether<T, R>(
  things: AsyncGenerator<T>,
  readers: readonly ((things: AsyncIterable<T>) => Promise<R>)[],
): Promise<R[]> {
  /** Who still reads, and is waiting for the next if it is not null. */
  const waiting = new Map<number, Give<T> | null>(readers.map((_, reader) => [reader, null]))
  const goOn = () => {
    if (waiting.size === 0 || [...waiting.values()].includes(null)) return
    const next = things.next()
    for (const [reader, give] of waiting) {
      waiting.set(reader, null)
      give!(next)
    }
  }
  const asOneOf = (reader: number): AsyncIterable<T> => ({
    [Symbol.asyncIterator]: () => ({
      next: () =>
        new Promise((resolve) => {
          if (!waiting.has(reader)) return resolve({ done: true, value: undefined })
          waiting.set(reader, resolve)
          goOn()
        }),
    }),
  })
  const leave = (reader: number) => {
    waiting.delete(reader)
    goOn()
  }
  try {
    return await Promise.all(
      readers.map((read, reader) => read(asOneOf(reader)).finally(() => leave(reader))),
    )
  } finally {
    await things.return(undefined)
  }
}
