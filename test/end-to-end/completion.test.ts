import { mkdirSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { jobNames } from '../../src/runs/jobs.js'
import { cliPath, conversationIds, csvOf, openPlace } from './harness.js'

/** What a bash that has read our script puts in the place of the last word. */
async function scene() {
  const place = openPlace()
  const programs = join(place.directory, 'programs')
  mkdirSync(programs)
  symlinkSync(cliPath, join(programs, 'ada-bulk'))
  const environment = { PATH: `${programs}:${process.env.PATH}`, SHELL: '/bin/bash' }
  const complete = async (...words: string[]) => {
    const script = `source <(ada-bulk completion)
      COMP_WORDS=(ada-bulk "$@"); COMP_CWORD=$#
      $(complete -p ada-bulk | sed 's/.*-F \\([^ ]*\\).*/\\1/')
      printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout, stderr } = await place.run([], {
      environment,
      through: () => ['bash', '-c', script, 'bash', ...words],
    })
    expect(stderr).toBe('')
    return stdout.split('\n').filter((line) => line !== '')
  }
  return { place, complete }
}

test.concurrent('bash completes commands, jobs, flags and what they may be', async () => {
  const { complete } = await scene()
  expect(await complete('')).toEqual(expect.arrayContaining(['run', 'plan', 'schedule', 'completion']))
  expect(await complete('re')).toEqual(['resume', 'retry', 'report'])
  for (const command of ['run', 'plan', 'schedule']) expect(await complete(command, '')).toEqual(jobNames())
  expect(await complete('run', 'end-c')).toEqual(['end-conversations'])
  expect(await complete('run', 'end-conversations', '--max-')).toEqual([
    '--max-items',
    '--max-duration',
    '--max-failures',
    '--max-outage',
  ])
  expect(await complete('run', 'cleanup', '--id')).toEqual(['--id-column', '--idle'])
  expect(await complete('run', 'cleanup', '--yes', '--y')).toEqual(['--yes-erase'])
  expect(await complete('run', 'cleanup', '--hold', 'a.csv', '--ho')).toEqual([
    '--hold',
    '--hold-column',
    '--hours',
  ])
  expect(await complete('run', 'cleanup', '--progress', '')).toEqual(['auto', 'bar', 'plain', 'json', 'none'])
  expect(await complete('run', 'cleanup', '--progress', '=', 'p')).toEqual(['plain'])
  // Where a file may stand, the shell's own completion is left alone.
  expect(await complete('run', 'end-conversations', '--input', '')).toEqual([])
  expect(await complete('rum', '')).toEqual([])
})

test.concurrent('bash completes the names of runs, wherever they live', async () => {
  const { place, complete } = await scene()
  place.write('stale.csv', csvOf(conversationIds(1)))
  await place.run('run end-conversations -i stale.csv --sandbox --yes'.split(' '))
  const name = basename(place.onlyRun())
  for (const command of ['resume', 'retry', 'status', 'report']) {
    expect(await complete(command, '')).toEqual(['latest', name])
  }
  expect(await complete('status', '--json', 'end')).toEqual([name])
  expect(await complete('status', '--runs-dir', 'elsewhere', '')).toEqual([])
  expect(await complete('status', name, '')).toEqual([])
})

test.concurrent('the script is for the shell that SHELL names', async () => {
  const place = openPlace()
  const { stdout } = await place.run(['completion'], { environment: { SHELL: '/usr/bin/zsh' } })
  expect(stdout).toMatch(/^#compdef ada-bulk\n/)
})
