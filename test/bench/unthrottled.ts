/** Every tool as fast as it goes, one after the other, against the same server. */
import { idsTo, LocalAda, writeList } from './local-ada.js'
import { measure } from './measured.js'
import { part, type World } from './part.js'
import { figure, megabytes } from './results.js'
import { concurrency, type Tool } from './tools.js'

await part(async (world) => {
  const count = world.size === 'quick' ? 1000 : 10_000
  const ada = await LocalAda.start()
  const rows: { name: string; rate: number; cells: string[] }[] = []
  for (const tool of world.tools) {
    world.say(`unthrottled: ${tool.name}, ${figure(count)} IDs`)
    rows.push(await unthrottled(world, ada, tool, count))
  }
  ada.stop()
  return [
    {
      title: 'Unthrottled',
      note: `${figure(count)} IDs, ${concurrency} calls in flight, start to exit; \`ada-bulk\` with its count, checkpoint and reports. CPU with all processes started; memory of the largest one.`,
      head: ['tool', 'IDs/s', '× ada-bulk', 'CPU per ID', 'peak memory', 'record', 'told as'],
      rows: rows.map(({ name, rate, cells }) => [name, figure(rate), figure(rate / rows[0]!.rate), ...cells]),
    },
  ]
})

async function unthrottled(world: World, ada: LocalAda, tool: Tool, count: number) {
  await ada.reset()
  const directory = world.freshDirectory()
  const list = writeList(directory, idsTo(count))
  const used = await measure(tool.command({ list, url: ada.url, directory, limit: null }))
  const { ended } = await ada.counts()
  const missing = ended === count ? '' : `, ${count - ended} never ended`
  return {
    name: tool.name,
    rate: count / (used.wallMs / 1000),
    cells: [
      `${figure((used.cpuMs / count) * 1000)} µs`,
      megabytes(used.peakMb),
      tool.resumed === null ? 'none' : 'yes',
      `${tool.unthrottled}${missing}`,
    ],
  }
}
