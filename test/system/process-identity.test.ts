import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { expect, test } from 'vitest'
import { isAlive, type ProcessIdentity, thisProcess } from '../../src/system/host.js'

const isLinux = process.platform === 'linux'

/** The identity that a process of this host would give itself. */
function identityOf(pid: number): ProcessIdentity {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return { ...thisProcess(), pid, startedAt: stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]! }
}

test('this process is alive, and always the same', () => {
  expect(thisProcess()).toEqual(thisProcess())
  expect(thisProcess()).toMatchObject({ pid: process.pid, host: hostname() })
  expect(thisProcess().startedAt).not.toBe('')
  expect(isAlive(thisProcess())).toBe(true)
})

test('a process with the same number and another start is another one', () => {
  expect(isAlive({ ...thisProcess(), startedAt: '1' })).toBe(false)
  expect(isAlive({ ...thisProcess(), startedAt: '' })).toBe(false)
})

test('a number that no process has is of a process that is gone', () => {
  expect(isAlive({ ...thisProcess(), pid: 2 ** 30 })).toBe(false)
})

test.runIf(isLinux)('a process is alive until it ends', async () => {
  const child = spawn('sleep', ['60'])
  await once(child, 'spawn')
  const identity = identityOf(child.pid!)
  expect(isAlive(identity)).toBe(true)
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(isAlive(identity)).toBe(false)
})

test.runIf(isLinux)('a zombie process is not alive', async () => {
  // The shell becomes `sleep`, which never waits for its child. Until then the shell itself might.
  const parent = spawn('sh', ['-c', 'sleep 0.5 & echo $!; exec sleep 60'])
  const [line] = await once(parent.stdout, 'data')
  const pid = Number(String(line))
  try {
    while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) execFileSync('sleep', ['0.01'])
    expect(isAlive(identityOf(pid))).toBe(false)
  } finally {
    parent.kill('SIGKILL')
    await once(parent, 'exit')
  }
})

test.runIf(isLinux)('a process whose name looks like the end of its name is seen', async () => {
  const child = spawn(process.execPath, [
    '-e',
    'process.title = "a) Z 1 1"; console.log(1); setTimeout(() => {}, 60_000)',
  ])
  await once(child.stdout, 'data')
  expect(isAlive(identityOf(child.pid!))).toBe(true)
  child.kill('SIGKILL')
  await once(child, 'exit')
})

const otherBoot = 'b7a3a1f0-0000-4000-8000-000000000000'

test('a process from before the boot of this host is gone, one of another host cannot be seen', () => {
  expect(isAlive({ ...thisProcess(), boot: otherBoot })).toBe(false)
  expect(isAlive({ ...thisProcess(), boot: otherBoot, host: 'ops-2' })).toBe('unknown')
})

test.runIf(isLinux)('a process of another container cannot be seen', () => {
  expect(isAlive({ ...thisProcess(), namespace: 'pid:[1]' })).toBe('unknown')
})
