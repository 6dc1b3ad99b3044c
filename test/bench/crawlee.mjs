/** Ends the conversations of a list with Crawlee; `peers.ts` puts this file where Crawlee is and starts it. */
import { readFileSync } from 'node:fs'
import { BasicCrawler } from '@crawlee/basic'

const [lines, url, concurrency, perMinute] = process.argv.slice(2)

const crawler = new BasicCrawler({
  minConcurrency: Number(concurrency),
  maxConcurrency: Number(concurrency),
  maxRequestsPerMinute: Number(perMinute),
  maxRequestRetries: 5,
  async requestHandler({ request }) {
    const response = await fetch(request.url, { method: 'POST', headers: { authorization: 'Bearer k' } })
    await response.arrayBuffer()
    if (!response.ok) throw new Error(`status ${response.status}`)
  },
})

const ids = readFileSync(lines, 'utf8').trimEnd().split('\n')
const { requestsFailed } = await crawler.run(ids.map((id) => `${url}/api/v2/conversations/${id}/end/`))
process.exitCode = requestsFailed > 0 ? 1 : 0
