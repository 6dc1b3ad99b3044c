/**
 * A local Ada that only ends conversations, as fast as node:http can, in a process of its own: it enforces rate
 * windows when asked to, and keeps count of what arrived. `local-ada.ts` starts it and asks it.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { RateWindows } from '../../src/sandbox/windows.js'
import type { Counts, Rules } from './local-ada.js'

const ended = '{"message":"Conversation ended successfully."}'
const path = '/api/v2/conversations/66f2a9'
const numberDigits = 18

let rules: Rules = { windows: [], isEveryTenthMissing: false }
let windows: RateWindows | null = null
/** Calls that ended a conversation, by the number in its ID. */
let calls = new Uint8Array(1024)
let counts = fresh()

const server = createServer((request, response) => {
  if (request.url!.startsWith(path)) end(Number.parseInt(request.url!.substr(path.length, numberDigits), 16))
  else void control(request, response)

  function end(number: number): void {
    counts.arrivals += 1
    const judgement = windows?.judge(performance.now())
    request.resume()
    response.setHeader('content-type', 'application/json')
    if (judgement?.isOver) {
      counts.rejected += 1
      response.writeHead(429, { 'retry-after': '1' }).end('{"message":"Too many requests."}')
    } else if (rules.isEveryTenthMissing && number % 10 === 0) {
      response.writeHead(404).end('{"message":"Not found."}')
    } else {
      count(number)
      response.end(ended)
    }
  }
})

server.listen(0, '127.0.0.1', () => process.send!((server.address() as { port: number }).port))
process.on('disconnect', () => process.exit())

function count(number: number): void {
  if (number >= calls.length) {
    const larger = new Uint8Array(Math.max(calls.length * 2, number + 1))
    larger.set(calls)
    calls = larger
  }
  const times = ++calls[number]!
  if (times > 1) counts.doubles += 1
  else {
    counts.ended += 1
    counts.firstNewAtMs ??= Date.now()
  }
}

/** `reset` takes new rules and forgets all; `mark` waits for the next new call; `missing` takes IDs. */
async function control(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = ''
  for await (const chunk of request) body += chunk
  if (request.url === '/reset') {
    rules = JSON.parse(body)
    windows = rules.windows.length === 0 ? null : new RateWindows(rules.windows, 'sliding')
    calls = new Uint8Array(1024)
    counts = fresh()
  }
  if (request.url === '/mark') counts.firstNewAtMs = null
  const missing = () => body.split('\n').filter((id) => !calls[Number.parseInt(id.slice(6), 16)]).length
  response.end(JSON.stringify(request.url === '/missing' ? missing() : counts))
}

function fresh(): Counts {
  return { arrivals: 0, ended: 0, doubles: 0, rejected: 0, firstNewAtMs: null }
}
