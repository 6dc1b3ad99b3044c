import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startFakeApi } from './fake-api.js'
import {
  cannotTestHere,
  checkpointOf,
  closeAtEnd,
  conversationIds,
  csvOf,
  expectNoStack,
  expectRefusal,
  openPlace,
  reportOf,
  summaryOf,
} from './harness.js'

const ids = conversationIds(200)
const concurrency = 8

async function scene() {
  const place = openPlace()
  place.write('stale.csv', csvOf(ids))
  const api = await startFakeApi()
  const args = (more: string) =>
    `run end-conversations -i stale.csv --base-url ${api.url} --yes --concurrency ${concurrency} ${more}`.split(
      ' ',
    )
  return { place, api, args }
}

type Scene = Awaited<ReturnType<typeof scene>>

/** After a run that stopped for want of room and was resumed. */
function expectAllEnded({ api }: Scene, directory: string): void {
  expect(reportOf(directory).map(({ id }) => id)).toEqual(ids)
  expect(summaryOf(directory).totals).toMatchObject({ read: 200, succeeded: 200, left: 0 })
  expect(api.ended.size).toBe(200)
  // The calls that were in flight when the room ran out, and those whose answers waited to be written.
  expect(ids.filter((id) => api.timesCalled(id) > 1).length).toBeLessThanOrEqual(2 * concurrency)
  expect(() => checkpointOf(directory)).not.toThrow()
}

test.concurrent('a file-size limit stops the run (4) with a sentence; without it the run goes on', async () => {
  const stage = await scene()
  const { place, args } = stage
  const stopped = await place.run(args('--api-limit none'), {
    through: (command) => ['bash', '-c', 'ulimit -f 16; exec "$@"', 'bash', ...command],
  })
  expect(stopped).toMatchObject({
    code: 4,
    stdout: expect.stringMatching(/stopped: cannot write .*checkpoint\.jsonl: EFBIG/),
  })
  expectNoStack(stopped)
  const directory = place.onlyRun()
  expect(summaryOf(directory)).toMatchObject({ exitCode: 4, totals: { read: 200 } })
  expect(reportOf(directory).length, 'report and summary agree').toBe(200 - summaryOf(directory).totals.left)
  expect(await place.run(['resume', '--yes'])).toMatchObject({ code: 0 })
  expectAllEnded(stage, directory)
})

const isRootOnLinux = process.platform === 'linux' && process.getuid?.() === 0
const howToMount =
  'It mounts a small tmpfs, which only root on Linux may: run the tests in a container as root.'

test.skipIf(isRootOnLinux)('full and read-only disks', () =>
  cannotTestHere('a full and a read-only disk', howToMount),
)

/** Another disk, mounted below the directory. */
function mountDisk(directory: string, name: string, size: string) {
  const path = join(directory, name)
  mkdirSync(path)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path])
  closeAtEnd(() => execFileSync('umount', ['--lazy', path]))
  return {
    path,
    remount: (options: string) => execFileSync('mount', ['-o', `remount,${options}`, path]),
    /** Leaves about so much room. */
    fill(leaving: number) {
      const file = join(path, 'fill')
      for (
        let size =
          Number.parseInt(execFileSync('stat', ['-f', '-c', '%a', path]).toString(), 10) * 4096 - leaving;
        ;
        size -= 4096
      ) {
        try {
          return writeFileSync(file, Buffer.alloc(Math.max(0, size)))
        } catch {
          rmSync(file, { force: true })
        }
      }
    },
    free: () => rmSync(join(path, 'fill')),
  }
}

describe.runIf(isRootOnLinux)('a full disk', () => {
  test.concurrent('under the run stops it (4) with a sentence; with room it goes on', async () => {
    const stage = await scene()
    const { place, args } = stage
    const disk = mountDisk(place.directory, 'disk', '48k')
    const stopped = await place.run(args('--api-limit none --run-dir disk/run'))
    expect(stopped).toMatchObject({
      code: 4,
      stdout: expect.stringMatching(/stopped: cannot write .*ENOSPC/),
    })
    expectNoStack(stopped)
    disk.remount('size=8m')
    const directory = join(disk.path, 'run')
    expect(await place.run(['resume', directory, '--yes'])).toMatchObject({ code: 0 })
    expectAllEnded(stage, directory)
    expect(
      readdirSync(directory).filter((name) => name.endsWith('.tmp')),
      'nothing half written stays',
    ).toEqual([])
  })

  test.concurrent('under the state stops it (4) with a sentence; with room it goes on', async () => {
    const stage = await scene()
    const { place, args } = stage
    const disk = mountDisk(place.directory, 'disk', '64k')
    const state = { ADA_BULK_STATE: join(disk.path, 'state') }
    disk.fill(16_384)
    const stopped = await place.run(args('--api-limit 5000/s'), { environment: state })
    expect(stopped.stderr + stopped.stdout).toContain('ENOSPC')
    expectNoStack(stopped)
    expect(stage.api.calls.length).toBeGreaterThan(0)
    disk.free()
    disk.remount('size=8m')
    const directory = place.onlyRun()
    expect(await place.run(['resume', '--yes'], { environment: state })).toMatchObject({ code: 0 })
    expectAllEnded(stage, directory)
    expect(stopped.code, '2 says that nothing was sent, and calls were').toBe(4)
    expect(checkpointOf(directory)).toContainEqual(expect.objectContaining({ event: 'stopped', exitCode: 4 }))
  })

  test.concurrent.for([0, 4096, 8192, 16_384])(
    'with %i bytes left at the start: it cannot start (2), or stops (4) and can be resumed',
    async (leaving) => {
      const stage = await scene()
      const { place, api, args } = stage
      const disk = mountDisk(place.directory, 'disk', '64k')
      disk.fill(leaving)
      const directory = join(disk.path, 'run')
      const ended = await place.run(args('--api-limit none --run-dir disk/run'))
      expect(ended.stderr + ended.stdout).toContain('ENOSPC')
      expect([2, 4], `not a bug (1) but a full disk\n${ended.stderr}`).toContain(ended.code)
      expectNoStack(ended)
      disk.free()
      disk.remount('size=8m')
      if (ended.code === 2) {
        expect(api.calls).toEqual([])
        expect(await place.run(args('--api-limit none --run-dir disk/run'))).toMatchObject({ code: 0 })
      } else expect(await place.run(['resume', directory, '--yes'])).toMatchObject({ code: 0 })
      expectAllEnded(stage, directory)
    },
  )
})

describe.runIf(isRootOnLinux)('a read-only disk', () => {
  test.concurrent('for runs or for the state: it cannot start (2), and nothing is sent', async () => {
    const { place, api, args } = await scene()
    const disk = mountDisk(place.directory, 'disk', '64k')
    disk.remount('ro')
    expectRefusal(await place.run(args('--run-dir disk/run --quiet')), /EROFS|ENOENT/, '--run-dir')
    expectRefusal(await place.run(args('--runs-dir disk/runs --quiet')), /EROFS|ENOENT/, '--runs-dir')
    const environment = { ADA_BULK_STATE: join(disk.path, 'state') }
    expectRefusal(await place.run(args('--quiet'), { environment }), /EROFS|ENOENT/, 'ADA_BULK_STATE')
    expect(api.calls).toEqual([])
    expect(existsSync(place.runs) ? readdirSync(place.runs) : []).toEqual([])
  })

  test.concurrent('that was writable when the run began: it cannot be resumed (2), but looked at', async () => {
    const { place, api, args } = await scene()
    const disk = mountDisk(place.directory, 'disk', '1m')
    expect(await place.run(args('--api-limit none --run-dir disk/run --max-items 5'))).toMatchObject({
      code: 75,
    })
    disk.remount('ro')
    const calls = api.calls.length
    expectRefusal(await place.run(['resume', 'disk/run', '--yes', '--quiet']), 'EROFS')
    expect(await place.run(['status', 'disk/run'])).toMatchObject({ code: 0 })
    expect(await place.run(['report', 'disk/run', '-o', '-'])).toMatchObject({ code: 0 })
    expectRefusal(await place.run(['report', 'disk/run']), 'EROFS', '--output')
    expect(api.calls).toHaveLength(calls)
    disk.remount('rw')
    expect(await place.run(['resume', 'disk/run', '--yes'])).toMatchObject({ code: 0 })
  })
})

test.concurrent.for([
  { what: 'a run directory below a file', flags: '--run-dir stale.csv/run', says: 'ENOTDIR' },
  { what: 'runs below a file', flags: '--runs-dir stale.csv/runs', says: 'ENOTDIR' },
  { what: 'a run directory that is a file', flags: '--run-dir stale.csv', says: /ENOTDIR|EEXIST/ },
])('$what: it cannot start (2), and nothing is sent', async ({ flags, says }) => {
  const { place, api, args } = await scene()
  expectRefusal(await place.run(args(`${flags} --quiet`)), says, '--run-dir')
  expect(api.calls).toEqual([])
})

test.concurrent('a state below a file: it cannot start (2), and nothing is sent', async () => {
  const { place, api, args } = await scene()
  const environment = { ADA_BULK_STATE: join(place.directory, 'stale.csv', 'state') }
  expectRefusal(await place.run(args('--quiet'), { environment }), 'ENOTDIR', 'ADA_BULK_STATE')
  expect(api.calls).toEqual([])
})

test.concurrent.for([
  { what: 'a run directory', flags: '--run-dir /proc/ada-bulk/run --quiet', environment: {} },
  { what: 'a state', flags: '--quiet', environment: { ADA_BULK_STATE: '/proc/ada-bulk' } },
])('$what in /proc: it cannot start (2)', async ({ flags, environment }) => {
  const { place, api, args } = await scene()
  const running = place.start(args(flags), { environment })
  // Node's own recursive mkdir never comes back from there.
  const patience = setTimeout(() => running.kill('SIGKILL'), 10_000)
  const ended = await running.exited
  clearTimeout(patience)
  expectRefusal(ended, /ENOENT|EROFS/)
  expect(api.calls).toEqual([])
})
