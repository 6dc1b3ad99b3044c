import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ScheduleFile } from '../../../src/commands/schedule/schedule.js'

export const isSystemdHere = spawnSync('systemd-analyze', ['--version']).error === undefined

/** What systemd-analyze says, in UTC. */
export function systemdAnalyze(...words: string[]): string {
  const { stdout, stderr } = spawnSync('systemd-analyze', words, {
    encoding: 'utf8',
    env: { ...process.env, TZ: 'UTC', LC_ALL: 'C' },
  })
  return `${stdout}${stderr}`
}

/** Throws what systemd has against these units. It says so, and ends with 0 all the same. */
export function expectUnits(files: readonly ScheduleFile[]): void {
  const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-units-'))
  try {
    const paths = files.map(({ name }) => join(directory, name))
    for (const [index, { text }] of files.entries()) writeFileSync(paths[index]!, text)
    const said = systemdAnalyze('verify', '--man=no', ...paths)
    // Units of the host itself may have their own faults.
    const ours = said.split('\n').filter((line) => files.some(({ name }) => line.includes(name)))
    if (ours.length > 0) throw new Error(ours.join('\n'))
  } finally {
    rmSync(directory, { recursive: true })
  }
}
