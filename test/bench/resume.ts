/** Every tool killed with -9 in the middle, and started again: over the same list, and over one that was edited. */
import { idOf, idsTo, LocalAda, writeList } from './local-ada.js'
import { kill, measure, start } from './measured.js'
import { part, type World } from './part.js'
import { seconds, type Table } from './results.js'
import type { Tool } from './tools.js'

await part(async (world) => {
  const isQuick = world.size === 'quick'
  const sizes = isQuick
    ? { settled: 100, rest: 50, mostMs: 20_000 }
    : { settled: 1000, rest: 500, mostMs: 300_000 }
  const ada = await LocalAda.start()
  const resumed: string[][] = []
  const edited: string[][] = []
  for (const tool of world.tools) {
    world.say(`resume: ${tool.name}`)
    resumed.push(await resume(world, ada, tool, sizes))
    world.say(`edited: ${tool.name}`)
    edited.push(await resumeEdited(world, ada, tool, sizes))
  }
  ada.stop()
  return [
    {
      title: 'Resume',
      note: `kill -9 when ${sizes.settled} of ${sizes.settled + sizes.rest} IDs were ended, and the same command again.`,
      head: ['tool', 'lost', 'done twice', 'first new call after', 'told as'],
      rows: resumed,
    },
    {
      title: 'Edited before the resume',
      note: `The same, but in between ${sizes.settled / 2} ended IDs were taken out of the list and 50 new ones put on top.`,
      head: ['tool', 'skipped wrongly', 'done twice', 'told as'],
      rows: edited,
    },
  ] satisfies Table[]
})

interface Sizes {
  settled: number
  rest: number
  /** For the second start. */
  mostMs: number
}

async function resume(world: World, ada: LocalAda, tool: Tool, sizes: Sizes): Promise<string[]> {
  const ids = idsTo(sizes.settled + sizes.rest)
  const { lost, doubles, firstMs } = await killAndResume(world, ada, tool, sizes, ids)
  return [tool.name, lost, doubles, firstMs === null ? 'none' : seconds(firstMs), toldAs(tool)]
}

async function resumeEdited(world: World, ada: LocalAda, tool: Tool, sizes: Sizes): Promise<string[]> {
  const fresh = Array.from({ length: 50 }, (_, index) => idOf(1_000_000 + index))
  const edited = [...fresh, ...idsTo(sizes.settled + sizes.rest).slice(sizes.settled / 2)]
  const { lost, doubles } = await killAndResume(world, ada, tool, sizes, edited)
  return [tool.name, lost, doubles, toldAs(tool)]
}

function toldAs(tool: Tool): string {
  return tool.resumed ?? 'keeps no record: starts over'
}

async function killAndResume(
  world: World,
  ada: LocalAda,
  tool: Tool,
  { settled, rest, mostMs }: Sizes,
  second: readonly string[],
) {
  await ada.reset()
  const directory = world.freshDirectory()
  const task = { list: writeList(directory, idsTo(settled + rest)), url: ada.url, directory, limit: null }
  const child = start(tool.command(task))
  await ada.untilEnded(settled, () => child.exitCode !== null)
  await kill(child)
  await ada.untilQuiet()
  writeList(directory, second)
  await ada.mark()
  const startedMs = Date.now()
  const { exitCode } = await measure(tool.command({ ...task, isResumed: true }), mostMs)
  const { doubles, firstNewAtMs } = await ada.counts()
  return {
    lost: `${await ada.missing(second)}${exitCode === -1 ? ` (not over after ${seconds(mostMs)})` : ''}`,
    doubles: `${doubles}`,
    firstMs: firstNewAtMs === null ? null : firstNewAtMs - startedMs,
  }
}
