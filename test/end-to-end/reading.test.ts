import { readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { startFakeApi } from './fake-api.js'
import { conversationIds, csvOf, openPlace } from './harness.js'

const preload = `--import ${resolve(import.meta.dirname, 'count-reads.mjs')}`
const [list, record] = ['ids.csv', 'checkpoint.jsonl']

/** A list that is much longer than what is read of a file to recognise it, and needs few calls. */
async function scene() {
  const place = openPlace()
  const api = await startFakeApi()
  const ids = conversationIds(20)
  const rows = Array.from({ length: 40_000 }, (_, row) => ids[row < 39_980 ? row % 10 : row - 39_980]!)
  const input = place.write(list, csvOf(rows))
  const run = join(place.directory, 'run')
  const sizes = () => ({
    [list]: statSync(input).size,
    [record]: statSync(join(run, record), { throwIfNoEntry: false })?.size ?? Number.POSITIVE_INFINITY,
  })
  const into = join(place.directory, 'reads.json')
  const environment = { NODE_OPTIONS: preload, READS_OF: [list, record].join(), READS_INTO: into }
  return {
    /** Runs a command; says how many times it read all of a file, before its first call and until its end. */
    async readsOf(words: string) {
      const before = sizes()
      const { code } = await place.run(words.split(' '), { environment })
      const after = sizes()
      const { beforeCalls, read } = JSON.parse(readFileSync(into, 'utf8'))
      const times = (bytes: Record<string, number>, of: Record<string, number>) =>
        [list, record].map((name) => Math.round(bytes[name]! / of[name]!))
      return { code, beforeCalls: times(beforeCalls, before), inAll: times(read, after) }
    },
    start: `run end-conversations -i ids.csv --base-url ${api.url} --api-limit none --yes --quiet --run-dir ${run}`,
    resume: `resume ${run} --yes --quiet`,
  }
}

test('a fresh run reads its input twice, to count and to call, and its checkpoint twice, for the reports', async () => {
  const { readsOf, start } = await scene()
  expect(await readsOf(start)).toMatchObject({ code: 0, beforeCalls: [1, 0], inAll: [2, 2] })
})

test('a resumed run reads its checkpoint once before its first call, and its input twice', async () => {
  const { readsOf, start, resume } = await scene()
  expect(await readsOf(`${start} --max-items 15`)).toMatchObject({ code: 75 })
  expect(await readsOf(resume)).toMatchObject({
    code: 0,
    beforeCalls: [expect.anything(), 1],
    inAll: [2, expect.anything()],
  })
})
