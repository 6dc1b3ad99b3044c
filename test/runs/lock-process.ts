/** One of several processes that want the same locks. Tells what it got, one JSON line, and lives on until it is killed. */
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { takeLock } from '../../src/runs/lock-file.js'

const [does, directory, rounds] = process.argv.slice(2) as [string, string, string]
const roundMs = 3

/** When all begin, which comes when all are ready. */
let startMs = 0
if (does !== 'hold') {
  process.stdout.write('"ready"\n')
  startMs = Number(String(await once(process.stdin, 'data')))
}

/** In each round a lock of its own, at the same moment as the others. Null: got it; else the process that has it. */
function race(): (number | null)[] {
  return Array.from({ length: Number(rounds) }, (_, round) => {
    while (Date.now() < startMs + round * roundMs);
    const attempt = takeLock(join(directory, String(round)), 'job', 'runs/race')
    return attempt.lock ? null : attempt.holder.pid
  })
}

/** Takes one lock and lets it go, over and over; `wx` fails when somebody else is inside. */
function takeTurns(): { turns: number; refusals: number } {
  const inside = join(directory, 'inside')
  let turns = 0
  let refusals = 0
  while (Date.now() < startMs);
  while (turns < Number(rounds)) {
    const { lock } = takeLock(directory, 'job', 'runs/turns')
    if (lock === null) refusals += 1
    else {
      writeFileSync(inside, String(process.pid), { flag: 'wx' })
      rmSync(inside)
      lock.release()
      turns += 1
    }
  }
  return { turns, refusals }
}

function hold(): boolean {
  return takeLock(directory, 'job', 'runs/held').lock !== null
}

const result = does === 'race' ? race() : does === 'takeTurns' ? takeTurns() : hold()
process.stdout.write(`${JSON.stringify(result)}\n`)
process.stdin.resume()
