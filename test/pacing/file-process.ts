/** One of several processes on one ledger: calls as often as it may until it is killed. */
import { setTimeout as delay } from 'node:timers/promises'
import { openFileLedger } from '../../src/pacing/file.js'
import { systemClock } from '../../src/system/clock.js'

const [directory, url, windows] = process.argv.slice(2) as [string, string, string]
const ledger = await openFileLedger({ directory, instance: url, clock: systemClock })

async function callOn(): Promise<void> {
  for (;;) {
    const { slot, ...refused } = await ledger.take(JSON.parse(windows), 1500)
    if (!slot) {
      await delay('waitMs' in refused ? Math.min(refused.waitMs, 50) : 1)
      continue
    }
    await fetch(url).then((answer) => answer.text())
    await slot.giveBack()
  }
}
await Promise.all([callOn(), callOn(), callOn(), callOn()])
