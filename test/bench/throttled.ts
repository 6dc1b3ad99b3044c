/** Every tool at the limits that Ada has, side by side, each against a server of its own that enforces them. */
import type { RateWindow } from '../../src/settings/limits.js'
import { idsTo, LocalAda, writeList } from './local-ada.js'
import { measure } from './measured.js'
import { part, type World } from './part.js'
import { figure, seconds, type Table } from './results.js'
import type { Tool } from './tools.js'

await part(async (world) => {
  // As many calls in each second over the long run, and the same number of spans.
  const limit = world.size === 'quick' ? { max: 60, perMs: 12_000 } : { max: 300, perMs: 60_000 }
  const count = limit.max * 1.3
  const windows = [{ max: 30, perMs: 1000 }, limit]
  world.say(
    `throttled: ${count} IDs at 30/s and ${limit.max}/${limit.perMs / 1000} s, all tools side by side`,
  )
  const rows = await Promise.all(world.tools.map((tool) => throttled(world, tool, windows, count)))
  world.say('throttled: which exit code says that some were not ended')
  const honest: string[] = []
  for (const tool of world.tools) honest.push(await exitCodeOfTrouble(world, tool))
  return [
    {
      title: 'Throttled',
      note: `${count} IDs against a server that enforces 30/s and ${limit.max} in any ${limit.perMs / 1000} s; the floor is ${seconds(floorMs(count, windows))}. The last column: the exit code when 4 of 40 IDs are answered with 404.`,
      head: [
        'tool',
        'wall',
        '× floor',
        'rejected calls',
        'never ended',
        'exit code',
        'told as',
        '4 of 40 missing',
      ],
      rows: rows.map((row, index) => [...row, honest[index]!]),
    } satisfies Table,
  ]
})

async function throttled(world: World, tool: Tool, windows: RateWindow[], count: number): Promise<string[]> {
  const ada = await LocalAda.start()
  await ada.reset({ windows })
  const directory = world.freshDirectory()
  const list = writeList(directory, idsTo(count))
  const { wallMs, exitCode } = await measure(
    tool.command({ list, url: ada.url, directory, limit: windows[1]! }),
  )
  const { ended, rejected } = await ada.counts()
  ada.stop()
  const ratio = figure(wallMs / floorMs(count, windows))
  return [tool.name, seconds(wallMs), ratio, `${rejected}`, `${count - ended}`, `${exitCode}`, tool.throttled]
}

async function exitCodeOfTrouble(world: World, tool: Tool): Promise<string> {
  const ada = await LocalAda.start()
  await ada.reset({ isEveryTenthMissing: true })
  const directory = world.freshDirectory()
  // The last one is there.
  const list = writeList(directory, idsTo(41).slice(1))
  const { exitCode } = await measure(tool.command({ list, url: ada.url, directory, limit: null }))
  ada.stop()
  return exitCode === 0 ? '0: silent' : `${exitCode}: says so`
}

/** When the last call can be made at the earliest, if none takes any time. */
function floorMs(count: number, windows: readonly RateWindow[]): number {
  const times: number[] = []
  for (let call = 0; call < count; call++) {
    const freeMs = windows.map(({ max, perMs }) => (call < max ? 0 : times[call - max]! + perMs))
    times.push(Math.max(...freeMs))
  }
  return times.at(-1)!
}
