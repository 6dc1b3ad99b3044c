import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { playReal } from './real-run.js'
import { addCounts, allCounts, type CountName, countNames, noCounts, type Played } from './result.js'
import { playSimulated } from './simulated-run.js'

/** The short version of `npm run torture`: the same worlds every time, of which each thing happens in one. */
const simulatedSeeds = [21, 22, 33, 42, 44, 45, 96, 102, 135, 148]
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

test('everything has happened', () => {
  const inRealRuns: CountName[] = ['sideBySide']
  for (const name of allCounts.filter((name) => !inRealRuns.includes(name))) {
    expect(total[name], countNames[name]).toBeGreaterThan(0)
  }
})
