import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { addCounts, noCounts, type Played } from './counts.js'
import { playReal } from './real-run.js'
import { playSimulated } from './simulated-run.js'

/** The short version of `npm run torture`: the same worlds every time. */
const simulatedSeeds = Array.from({ length: 12 }, (_, index) => index + 1)
const realSeeds = [0]
const total = noCounts()

async function play(
  seed: number,
  how: (seed: number, directory: string) => Promise<Played>,
): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-torture-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const { counts, offences } = await how(seed, directory)
  addCounts(total, counts)
  return offences
}

test.for(simulatedSeeds)('a simulated run under torture, seed %i', async (seed) => {
  expect(await play(seed, playSimulated)).toEqual([])
})

test.for(realSeeds)('real processes under torture, seed %i', async (seed) => {
  expect(await play(seed, playReal)).toEqual([])
})

test('enough has happened to mean something', () => {
  const { kills, powerCuts, stops, rateLimited, serverErrors, resets, fullDisks, brokenDisks, editedInputs } =
    total
  const seen = {
    kills,
    powerCuts,
    stops,
    rateLimited,
    serverErrors,
    resets,
    fullDisks,
    brokenDisks,
    editedInputs,
  }
  for (const [name, count] of Object.entries(seen)) expect(count, name).toBeGreaterThan(0)
})
