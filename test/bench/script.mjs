/** Ends the conversations of a list with what a programmer would write in an hour: fetch, p-limit, Bottleneck. */
import { readFileSync } from 'node:fs'
import Bottleneck from 'bottleneck'
import pLimit from 'p-limit'

const [lines, url, concurrency, delayMs] = process.argv.slice(2)
const inFlight = pLimit(Number(concurrency))
const pacing = new Bottleneck({ minTime: Number(delayMs) })
const pace = Number(delayMs) === 0 ? (call) => call() : (call) => pacing.schedule(call)
let failed = 0

async function end(id) {
  const response = await fetch(`${url}/api/v2/conversations/${id}/end/`, {
    method: 'POST',
    headers: { authorization: 'Bearer k' },
  })
  await response.arrayBuffer()
  if (!response.ok) failed += 1
}

const ids = readFileSync(lines, 'utf8').trimEnd().split('\n')
await Promise.all(ids.map((id) => inFlight(() => pace(() => end(id)))))
process.exitCode = failed > 0 ? 1 : 0
