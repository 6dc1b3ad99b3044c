import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Summary } from '../../src/checkpoint/summary.js'
import { confirm, refuseUnasked } from '../../src/commands/confirm.js'
import { summaryText } from '../../src/commands/show.js'
import type { Terminal } from '../../src/commands/terminal.js'
import { UsageError } from '../../src/system/errors.js'

function shellOf(answer: string, isInteractive = true): Terminal & { said: string[] } {
  const said: string[] = []
  return {
    said,
    environment: {},
    isInteractive,
    isStderrTerminal: isInteractive,
    print: (text) => said.push(text),
    notice: (text) => said.push(text),
    ask: async (question) => {
      said.push(question)
      return answer
    },
  }
}

describe('the question before a run', () => {
  const words = { verb: 'end', noun: 'conversation' }
  const ask = (shell: Terminal, items = 39_988) => confirm(shell, items, words, 'https://acme.ada.support')

  test.each(['39988', '39,988', '39.988', "39'988", '39 988', '39_988'])(
    'is answered by the number, as people write it: %s',
    async (answer) => {
      const shell = shellOf(answer)
      await ask(shell)
      expect(shell.said.join('\n')).toContain(
        'This will end 39,988 conversations on https://acme.ada.support.',
      )
    },
  )

  test.each(['', 'y', 'yes', '39987', '399880', '0', '-39988', '39988 yes', '3e4'])(
    'is not answered by anything else: %j',
    async (answer) => {
      await expect(ask(shellOf(answer))).rejects.toThrow(UsageError)
      await expect(ask(shellOf(answer))).rejects.toThrow(/^not confirmed: .* Nothing was sent\.$/)
    },
  )

  test('cannot be put where there is no terminal, and need not be with --yes', () => {
    expect(() => refuseUnasked(false, shellOf('', false))).toThrow(UsageError)
    expect(() => refuseUnasked(false, shellOf('', false))).toThrow(/--yes/)
    refuseUnasked(true, shellOf('', false))
    refuseUnasked(false, shellOf('', true))
  })
})

describe('the summary for people', () => {
  const summary = {
    run: 'end-conversations-2026-11-22T09-00-00',
    directory: join(process.cwd(), 'runs', 'end-conversations-2026-11-22T09-00-00'),
    startedAt: '2026-11-22T09:00:00.000Z',
    finishedAt: '2026-11-22T09:41:06.000Z',
    exitCode: 0,
    stoppedBecause: null,
    totals: {
      read: 10_040,
      succeeded: 10_000,
      failed: 0,
      unknown: 0,
      invalid: 0,
      duplicate: 40,
      filtered: 0,
      left: 0,
    },
    reasons: { duplicate: 40, ended: 10_000 },
    requests: { sent: 10_003, rateLimited: 1 },
    checkpointHead: '4f0c'.repeat(16),
  } as unknown as Summary

  test('says what became of the items and where the report lies', () => {
    expect(summaryText(summary).split('\n')).toEqual([
      'end-conversations-2026-11-22T09-00-00 is finished: 10,040 items in 41 min 6 s.',
      '  succeeded     10,000',
      '  duplicate         40',
      'Reasons: duplicate 40, ended 10,000.',
      'Calls: 10,003, of which 1 were over a rate limit.',
      'Report: runs/end-conversations-2026-11-22T09-00-00/report.csv',
      `Head of the record: ${'4f0c'.repeat(16)}`,
    ])
  })

  test('of a run that stopped says why, what is left and how to go on', () => {
    const totals = { ...summary.totals, succeeded: 9000, left: 1000 }
    const text = summaryText({ ...summary, totals, exitCode: 75, stoppedBecause: '--max-items 9000 reached' })
    expect(text).toContain(`${summary.run} stopped: --max-items 9000 reached.\n`)
    expect(text).toContain('  left           1,000\n')
    expect(text).toMatch(/\nGo on with: ada-bulk resume runs\/end-conversations-2026-11-22T09-00-00$/)
  })

  test.each(['failed', 'unknown'])(
    'of a run with items that are %s says how to try those again',
    (status) => {
      const totals = { ...summary.totals, [status]: 2, succeeded: 9998 }
      expect(summaryText({ ...summary, totals, exitCode: 3 })).toMatch(
        /\nTry those that failed again with: ada-bulk retry runs\/end-conversations-2026-11-22T09-00-00$/,
      )
    },
  )
})
