/**
 * What ours costs at ten thousand, a hundred thousand, a million IDs: each command in turn over one real run, which
 * is stopped, goes on, is killed with -9 and goes on again.
 */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { idOf, LocalAda } from './local-ada.js'
import { type Command, kill, measureExpecting, start, type Used } from './measured.js'
import { part, type World } from './part.js'
import { figure, megabytes, seconds } from './results.js'
import { adaBulk, concurrency } from './tools.js'

/** Behind the settled ones: half of them before the kill, half after it. */
const rest = 1000

const sizes = { quick: [1000, 10_000], full: [10_000, 100_000, 1_000_000], huge: [10_000_000] }

await part(async (world) => {
  const ada = await LocalAda.start()
  const counts = world.size === 'huge' ? [...sizes.full, ...sizes.huge] : sizes[world.size]
  const grown: Grown[] = []
  for (const count of counts) grown.push(await grow(world, ada, count))
  ada.stop()
  return [
    {
      title: 'Unthrottled, alone',
      note: 'One `ada-bulk run` with its checkpoint and reports, start to exit.',
      head: ['IDs', 'IDs/s', 'CPU per ID', 'peak memory'],
      rows: grown.map(({ count, used: { run } }) => [
        figure(count),
        figure(count / (run.wallMs / 1000)),
        `${figure((run.cpuMs / count) * 1000)} µs`,
        megabytes(run.peakMb),
      ]),
    },
    {
      title: 'Resume of a large run',
      note: 'A real run of `ada-bulk` without a limit, killed with -9 when so many IDs were settled, then `resume`.',
      head: ['settled', 'lost', 'done twice', 'first new call after', 'peak memory'],
      rows: grown.map(({ cells }) => cells),
    },
    {
      title: 'How the cost grows',
      note: `\`ada-bulk\` alone: wall time, CPU time, peak memory. \`run\` without a limit, with checkpoint and reports; \`resume\` does the last ${rest / 2} IDs and writes the reports again.`,
      head: ['IDs', ...Object.keys(grown[0]!.used)],
      rows: grown.map(({ count, used }) => [
        figure(count),
        ...Object.values(used).map(
          ({ wallMs, cpuMs, peakMb }) => `${seconds(wallMs)}, ${seconds(cpuMs)}, ${megabytes(peakMb)}`,
        ),
      ]),
    },
  ]
})

interface Grown {
  count: number
  /** By command. */
  used: { run: Used } & Record<string, Used>
  cells: string[]
}

async function grow(world: World, ada: LocalAda, count: number): Promise<Grown> {
  await ada.reset()
  const directory = world.freshDirectory()
  const input = join(directory, 'ids.csv')
  await writeIds(input, count + rest)
  const place = join(directory, 'run')
  const pacing = ['--api-limit', 'none', '--concurrency', String(concurrency)]
  const quietly = [...pacing, '--yes', '--quiet']
  const list = ['end-conversations', '--input', input, '--base-url', ada.url]
  const command = (...words: string[]) => {
    world.say(`${words[0]}, ${figure(count)} IDs`)
    return adaBulk(words, directory)
  }
  const plan = await measureExpecting(command('plan', ...list, ...pacing), 0)
  const stopped = ['--run-dir', place, '--max-items', String(count)]
  const run = await measureExpecting(command('run', ...list, ...quietly, ...stopped), 75)
  await killedIn(ada, command('resume', place, ...quietly), count + rest / 2)
  await ada.mark()
  const startedMs = Date.now()
  const resume = await measureExpecting(command('resume', place, ...quietly), 0)
  const { ended, doubles, firstNewAtMs } = await ada.counts()
  const report = await measureExpecting(command('report', place, '--format', 'csv'), 0)
  const html = await measureExpecting(command('report', place, '--format', 'html'), 0)
  const verify = await measureExpecting(command('verify', place), 0)
  const first = seconds(firstNewAtMs! - startedMs)
  return {
    count,
    used: { plan, run, resume, report, 'report.html': html, verify },
    cells: [figure(count), `${count + rest - ended}`, `${doubles}`, first, megabytes(resume.peakMb)],
  }
}

/** Killed when the server has ended so many. */
async function killedIn(ada: LocalAda, command: Command, ended: number): Promise<void> {
  const child = start(command)
  await ada.untilEnded(ended, () => child.exitCode !== null)
  await kill(child)
  await ada.untilQuiet()
}

async function writeIds(path: string, count: number): Promise<void> {
  const out = createWriteStream(path)
  out.write('conversation_id\n')
  const piece = 10_000
  for (let from = 1; from <= count; from += piece) {
    const ids = Array.from({ length: Math.min(piece, count + 1 - from) }, (_, index) => idOf(from + index))
    if (!out.write(`${ids.join('\n')}\n`)) await once(out, 'drain')
  }
  out.end()
  await once(out, 'finish')
}
