import { describe, expect, test } from 'vitest'
import { sandboxKey } from '../../src/sandbox/options.js'
import { sandboxWith } from '../sandbox/client.js'
import { openDesk } from './in-process.js'

function desk() {
  const place = openDesk()
  place.write('end-users.csv', 'name,email\nJane,jane@example.com\nJohn,john@example.com\n')
  place.write('export.jsonl', '{"_id":"66f2a91c4be07d3f5c1e0001","date_created":"2026-03-01T09:00:00"}\n')
  const plan = (...words: string[]) => place.type('plan', ...words)
  return { ...place, plan, endUsers: ['erase-end-users', '-i', place.path('end-users.csv')] }
}

describe('planning to erase', () => {
  test('finds the identifiers by their kind, and says how Ada may take its time', async () => {
    const { plan, endUsers } = desk()
    expect(await plan(...endUsers, '--identifier-type', 'email')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/erase all personal data of 2 end users[\s\S]*up to 30 days[\s\S]*jane@/),
    })
  })

  test('counts a call for a batch and one to ask for it, not one for each', async () => {
    const { plan, endUsers } = desk()
    const { stdout } = await plan(...endUsers, '--identifier-type', 'email', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ items: 2, calls: 2 })
  })

  test.each([
    [[], /--identifier-type email\|/],
    [['--identifier-type', 'phone'], /there are email/],
    [['--identifier-type', 'email', '--check-first'], /--check-first is for/],
    [['--identifier-type', 'email', '--format', 'json'], /is CSV/],
    [['--identifier-type', 'email', '--pseudonymise'], /ADA_BULK_PSEUDONYM_KEY/],
    [['--identifier-type', 'external_id'], /no column that is known to hold IDs/],
  ])('with %j is refused', async (flags, words) => {
    const { plan, endUsers } = desk()
    expect(await plan(...endUsers, ...flags)).toMatchObject({ code: 2, stderr: expect.stringMatching(words) })
  })

  test('with pseudonyms shows nobody', async () => {
    const { plan, endUsers, environment } = desk()
    environment.ADA_BULK_PSEUDONYM_KEY = 'a key that is long enough'
    const { stdout, stderr } = await plan(...endUsers, '--identifier-type', 'email', '--pseudonymise')
    expect(stdout).toContain('hmac-sha256:')
    expect(stdout + stderr).not.toMatch(/jane@|john@/)
  })
})

describe('a sweep', () => {
  test('needs its date', async () => {
    const { plan, path } = desk()
    const said = await plan('compliance-sweep', '-i', path('export.jsonl'))
    expect(said).toMatchObject({ code: 2, stderr: expect.stringMatching(/--created-before is needed/) })
  })

  test('says in its plan that erasing follows, if it was asked for', async () => {
    const { plan, path } = desk()
    const sweep = ['compliance-sweep', '-i', path('export.jsonl'), '--created-before', '2026-06-01']
    expect((await plan(...sweep)).stdout).not.toMatch(/second run/)
    expect((await plan(...sweep, '--erase')).stdout).toMatch(/second run erases the end users/)
  })

  test('erases on one instance at a time', async () => {
    const { type, path } = desk()
    const said = await type(
      'run',
      'compliance-sweep',
      '--instances',
      path('i.csv'),
      '--created-before',
      '2026-06-01',
      '--erase',
    )
    expect(said).toMatchObject({ code: 2, stderr: expect.stringMatching(/one instance at a time/) })
  })
})

describe('the question about erasing', () => {
  async function sweeping() {
    const place = desk()
    const sandbox = await sandboxWith({ deletionMs: 0 })
    place.environment.ADA_API_KEY = sandboxKey
    place.write(
      'export.jsonl',
      '{"_id":"66f2a91c4be07d3f5c1e0001","date_created":"2026-03-01T09:00:00","end_user_id":"jane"}\n',
    )
    const sweep = (...words: string[]) =>
      place.type(
        ...['run', 'compliance-sweep', '-i', place.path('export.jsonl'), '--created-before', '2026-06-01'],
        ...['--erase', '--base-url', sandbox.url, '--progress', 'none', ...words],
      )
    return { ...place, sandbox, sweep }
  }

  test('is asked for itself, when all is ended, and says what cannot be undone', async () => {
    const { sandbox, sweep, answers } = await sweeping()
    answers.push('1', '1')
    const { code, stderr } = await sweep()
    expect(code).toBe(0)
    expect(stderr.match(/Type 1 to go on/g)).toHaveLength(2)
    expect(stderr).toMatch(/erase all personal data of 1 end user on .* cannot be undone\. Ada erases every/)
    expect(sandbox.state.deletions.timesErased('jane')).toBe(1)
  })

  test('is not answered by --yes, and no is no: the conversations stay ended, and nobody is erased', async () => {
    const { sandbox, sweep, answers } = await sweeping()
    answers.push('no')
    const { code, stderr } = await sweep('--yes')
    expect(code, 'a person has to look').toBe(4)
    expect(stderr).toMatch(/nobody was erased\. To go on with that: ada-bulk resume /)
    expect([sandbox.state.acted, sandbox.state.deletions.count]).toEqual([1, 0])
  })

  test('with --json both summaries are one document', async () => {
    const { sweep } = await sweeping()
    const { stdout } = await sweep('--yes', '--yes-erase', '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      sweep: { reasons: { ended: 1 } },
      erasure: { reasons: { erased: 1 }, job: 'erase-end-users' },
    })
  })
})
