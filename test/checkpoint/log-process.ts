/** Writes to a log until it fails, and tells what was durable by then and how everything after it failed. */
import { firstHead, Log } from '../../src/checkpoint/log.js'

const log = new Log(process.argv[2]!, 0, firstHead)
const errors: string[] = []
let durable = 0

async function add(): Promise<void> {
  log.add({ n: durable, status: 'succeeded', reason: 'ended', id: '66f2a91c4be07d3f5c1e0001' })
  await log.sync()
  durable += 1
}

while (errors.length === 0) await add().catch((error) => errors.push(String(error)))
await add().catch((error) => errors.push(String(error)))
await log.sync().catch((error) => errors.push(String(error)))
try {
  log.flush()
} catch (error) {
  errors.push(String(error))
}
log.close()
console.log(JSON.stringify({ durable, errors }))
