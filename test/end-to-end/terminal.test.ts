import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openPlace, type Place, type Running, summaryOf } from './harness.js'

/** util-linux has `script`, which gives a command a terminal of its own. Its options differ on macOS. */
const hasScript = process.platform === 'linux' && isThere('script')
if (!hasScript) {
  const how = 'needs `script` of util-linux (Debian: apt-get install bsdutils)'
  if (process.env.CI) throw new Error(`The terminal tests cannot run: ${how}.`)
  console.warn(`NOT TESTED: the command on a terminal, which ${how}.`)
}

const ids = Array.from(
  { length: 12 },
  (_, number) => `66f2a91c4be07d3f5c1e${String(number).padStart(4, '0')}a`,
)

describe.runIf(hasScript)('on a terminal', () => {
  test('a run shows what it will do and begins when the number is typed', async () => {
    const place = openPlace()
    const terminal = start(place, ['run', 'end-conversations', '-i', list(place), '--sandbox'])
    await terminal.says(/Type 12 to go on/)
    terminal.child.stdin!.write('12\r')
    const { code, stdout } = await terminal.exited
    expect(code).toBe(0)
    expect(stdout).toContain('cannot be undone')
    expect(stdout).toMatch(/succeeded +12/)
    expect(existsSync(join(place.onlyRun(), 'report.csv'))).toBe(true)
  })

  test.each(['11', 'yes', ''])('nothing is sent and nothing stays when %j is typed', async (answer) => {
    const place = openPlace()
    const terminal = start(place, ['run', 'end-conversations', '-i', list(place), '--sandbox'])
    await terminal.says(/Type 12 to go on/)
    terminal.child.stdin!.write(`${answer}\r`)
    const { code, stdout } = await terminal.exited
    expect(code).toBe(2)
    expect(stdout).toContain('Nothing was sent')
    expect(() => place.onlyRun()).toThrow('not one run but 0')
  })

  test('Ctrl-C at the question leaves, and nothing stays', async () => {
    const place = openPlace()
    const terminal = start(place, ['run', 'end-conversations', '-i', list(place), '--sandbox'])
    await terminal.says(/Type 12 to go on/)
    terminal.child.stdin!.write('\u0003')
    expect((await terminal.exited).code).toBe(130)
    expect(
      existsSync(place.runs) ? execFileSync('find', [place.runs, '-name', 'run.json']).toString() : '',
    ).toBe('')
  })

  test('Ctrl-C in a run stops it in order, with a bar that gives way to the words', async () => {
    const place = openPlace()
    const terminal = start(place, [
      'run',
      'end-conversations',
      '-i',
      list(place),
      '--sandbox',
      '--limit',
      '1/s',
      '--yes',
    ])
    await terminal.says(/1\/12: 1 succeeded/)
    terminal.child.stdin!.write('\u0003')
    const { code, stdout } = await terminal.exited
    expect(code).toBe(130)
    expect(stdout).toContain('SIGINT: finishing the calls in flight')
    expect(stdout).toMatch(/Go on with: ada-bulk resume/)
  })

  test.each([60, 200])(
    'the bar fits %i columns, and shows a pause from another terminal',
    async (columns) => {
      const place = openPlace()
      const flags = ['--limit', '1/s', '--yes', '--run-dir', 'runs/tonight']
      const terminal = start(
        place,
        ['run', 'end-conversations', '-i', list(place), '--sandbox', ...flags],
        columns,
      )
      await terminal.says(/1\/12/)
      const paused = await place.run(['pause', 'runs/tonight'])
      expect(paused, paused.stderr).toMatchObject({ code: 0 })
      await terminal.says(/; paused/)
      await place.run(['throttle', 'runs/tonight', '--limit', '1000/s'])
      await place.run(['continue', 'runs/tonight'])
      const { code, stdout } = await terminal.exited
      expect(code).toBe(0)
      const drawn = stdout.split(/[\r\n]|\u001b\[[\d?;]*[a-zA-Z]/).filter((line) => /[█░]/.test(line))
      expect(drawn.length).toBeGreaterThan(1)
      for (const line of drawn) expect(line.length).toBeLessThan(columns)
      if (columns === 200) expect(stdout).toMatch(/12\/12: 12 succeeded/)
    },
  )

  test('trying two first, and resuming asks again because more is called than was agreed to', async () => {
    const place = openPlace()
    const input = list(place)
    const first = start(place, ['run', 'end-conversations', '-i', input, '--sandbox', '--max-items', '2'])
    await first.says(/Type 2 to go on/)
    first.child.stdin!.write('2\r')
    expect((await first.exited).code).toBe(75)
    const rest = start(place, ['resume'])
    await rest.says(/Type 10 to go on/)
    rest.child.stdin!.write('10\r')
    expect((await rest.exited).code).toBe(0)
    const { totals } = summaryOf(place.onlyRun())
    expect(totals).toMatchObject({ read: 12, succeeded: 12, left: 0 })
  })

  test('a run that was agreed to for two does not go on without a terminal', async () => {
    const place = openPlace()
    const first = start(place, [
      'run',
      'end-conversations',
      '-i',
      list(place),
      '--sandbox',
      '--max-items',
      '2',
    ])
    await first.says(/Type 2 to go on/)
    first.child.stdin!.write('2\r')
    await first.exited
    const { code, stderr } = await place.run(['resume'])
    expect(code).toBe(2)
    expect(stderr).toContain('--yes')
  })
})

function list(place: Place): string {
  return place.write('ids.csv', `conversation_id\n${ids.join('\n')}\n`)
}

/** `columns`: of a terminal that is narrower or wider than usual. */
function start(place: Place, args: readonly string[], columns = 120): Running {
  return place.start(args, {
    stdin: 'open',
    environment: { TERM: 'xterm', SHELL: '/bin/sh' },
    through: (command) => [
      'script',
      '--quiet',
      '--flush',
      '--return',
      '--command',
      `stty cols ${columns}; ${quoted(command)}`,
      '/dev/null',
    ],
  })
}

function quoted(command: readonly string[]): string {
  return command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
}

function isThere(program: string): boolean {
  try {
    execFileSync('which', [program], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
