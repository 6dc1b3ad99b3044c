import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { playSimulated } from './simulated-run.js'

test.for(Array.from({ length: Number(process.env.SEEDS ?? 40) }, (_, seed) => seed))(
  'a run under torture, seed %i',
  async (seed) => {
    const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-torture-'))
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
    const { offences } = await playSimulated(seed, directory)
    expect(offences).toEqual([])
  },
)
