import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Checkpoint } from '../../src/checkpoint/checkpoint.js'
import { firstHead } from '../../src/checkpoint/log.js'
import { sandboxKey } from '../../src/sandbox/options.js'
import { UsageError } from '../../src/system/errors.js'
import { startSandbox } from '../sandbox/sandboxes.js'
import { cli } from './cli.js'
import { Disk } from './disk.js'

function scene() {
  const home = mkdtempSync(join(tmpdir(), 'ada-bulk-disk-'))
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
  return home
}

/** A home with a list, and a sandbox to end it on. */
async function stage(ids: readonly string[]) {
  const home = scene()
  const sandbox = await startSandbox({ limits: 'none' })
  onTestFinished(() => sandbox.close())
  const environment = {
    ADA_API_KEY: sandboxKey,
    ADA_BASE_URL: sandbox.url,
    ADA_BULK_STATE: join(home, 'state'),
  }
  const list = join(home, 'stale.csv')
  const run = join(home, 'run')
  writeFileSync(list, csvOf(ids))
  const words = ['run', 'end-conversations', '--input', list, '--run-dir', run]
  return { sandbox, environment, list, run, words: [...words, '--yes', '--api-limit', 'none'] }
}

const csvOf = (ids: readonly string[]) => `conversation_id\n${ids.join('\n')}\n`

/** From the nth sync on the disk fails. */
function failFrom(disk: Disk, nth: number): void {
  let syncs = 0
  disk.beforeStep = ({ name }) => {
    if (name === 'sync' && ++syncs >= nth)
      throw Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' })
  }
}

test('a checkpoint that cannot be begun is a sentence', () => {
  const home = scene()
  const disk = new Disk(home)
  onTestFinished(() => disk.close())
  failFrom(disk, 1)
  const begin = () => new Checkpoint(join(home, 'checkpoint.jsonl'), { bytes: 0, head: firstHead })
  expect(begin).toThrow(UsageError)
  expect(begin).toThrow(/cannot write .*checkpoint\.jsonl: EIO/)
})

test.for([1, 2, 3, 4])(
  'a disk that fails while a changed input is taken (sync %i): a sentence (2), and later it goes on',
  async (nth) => {
    const ids = Array.from({ length: 6 }, (_, number) => `66f2a91c4be07d3f5c1e111${number}`)
    const { sandbox, environment, list, run, words } = await stage(ids)
    expect(await cli([...words, '--quiet', '--max-items', '2'], environment)).toMatchObject({ code: 75 })
    writeFileSync(list, csvOf(ids.slice(1)))
    const resume = ['resume', run, '--yes', '--accept-changed-input', '--quiet']
    const disk = new Disk(run)
    onTestFinished(() => disk.close())
    failFrom(disk, nth)
    expect(await cli(resume, environment)).toMatchObject({
      code: expect.toBeOneOf([2, 4]),
      said: expect.stringContaining('EIO'),
    })
    disk.beforeStep = () => {}
    expect(await cli(resume, environment)).toMatchObject({ code: 0 })
    expect(ids.map((id) => sandbox.state.timesCalled(id))).toEqual([1, 1, 1, 1, 1, 1])
  },
)

test('reports that could not be written (4) are written by the next resume', async () => {
  const { sandbox, environment, run, words } = await stage(['66f2a91c4be07d3f5c1e1111'])
  mkdirSync(run)
  const disk = new Disk(run)
  onTestFinished(() => disk.close())
  disk.beforeStep = ({ name, path }) => {
    if (name === 'rename' && path.endsWith('report.html'))
      throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
  }
  expect(await cli(words, environment)).toMatchObject({ code: 4, said: expect.stringContaining('ENOSPC') })
  disk.beforeStep = () => {}
  expect(await cli(['resume', run, '--yes'], environment)).toMatchObject({ code: 0 })
  expect(readdirSync(run)).toContain('report.html')
  expect(JSON.parse(readFileSync(join(run, 'summary.json'), 'utf8'))).toMatchObject({
    exitCode: 0,
    stoppedBecause: null,
  })
  expect(sandbox.state.arrived).toBe(1)
})
