/** One lane of simulated runs, for `lanes.ts`. */
import { isReal, type Lane, memory, play, type Told } from './lanes.js'
import { playSimulated } from './simulated-run.js'

// What never ends is null in JSON.
const { lane, lanes, first, runs, endMs }: Record<keyof Lane, number | null> = JSON.parse(process.argv[2]!)
const tell = (told: Told) => void process.send!(told)

await play(
  { first: first!, runs: runs ?? Number.POSITIVE_INFINITY, endMs: endMs ?? Number.POSITIVE_INFINITY },
  (seed) => !isReal(seed) && seed % lanes! === lane,
  async (seed, directory) => {
    tell({ begun: seed })
    tell(await playSimulated(seed, directory))
  },
  memory,
)
process.disconnect()
