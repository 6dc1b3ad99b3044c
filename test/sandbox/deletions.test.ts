import { describe, expect, test } from 'vitest'
import { call, StillClock, sandboxWith } from './client.js'
import type { Sandbox, SandboxOptions } from './sandboxes.js'

const email = (value: string) => ({ type: 'email', value })
const dayMs = 86_400_000

async function scene(options: SandboxOptions = {}) {
  const clock = new StillClock()
  const sandbox = await sandboxWith({ clock, deletionMs: 3_000, ...options })
  return { clock, sandbox }
}

async function submit(sandbox: Sandbox, identifiers: object[], reference?: string) {
  const body = JSON.stringify({ identifiers, client_reference: reference })
  const { status, text } = await call(sandbox, 'POST', '/api/v2/end-users/delete', { body })
  return { status, answer: JSON.parse(text!) }
}

async function jobOf(sandbox: Sandbox, id: string) {
  const { status, text } = await call(sandbox, 'GET', `/api/v2/jobs/${id}`)
  return { httpStatus: status, ...JSON.parse(text!) }
}

describe('the deletion of end users', () => {
  test('is a job that is queued, under way, and then over with a disposition for each identifier', async () => {
    const { clock, sandbox } = await scene()
    const identifiers = [
      email('jane@example.com'),
      email('JANE@example.com'),
      email('nobody@example.com'),
      email('jane'),
      { type: 'end_user_id', value: '66f0b7d24c19a3e85d7b0413' },
      { type: 'variable_match', value: 'gold', variable: 'plan' },
    ]
    const { status, answer } = await submit(sandbox, identifiers)
    expect([status, answer.status, answer.submitted_count]).toEqual([202, 'queued', 6])
    expect(await jobOf(sandbox, answer.job_id)).toMatchObject({ status: 'queued', completed_at: null })
    clock.pass(2_000)
    expect(await jobOf(sandbox, answer.job_id)).toMatchObject({ status: 'in_progress' })
    clock.pass(1_000)
    const job = await jobOf(sandbox, answer.job_id)
    expect(job).toMatchObject({ status: 'partial', failure_reason: null })
    expect(job.identifiers.map(({ disposition }: { disposition: string }) => disposition)).toEqual([
      'accepted',
      'duplicate',
      'not_found',
      'invalid',
      'exceeds_limit',
      'accepted',
    ])
  })

  test('is the same job when it is sent again with its reference within a day', async () => {
    const { clock, sandbox } = await scene()
    const first = await submit(sandbox, [email('jane@example.com')], 'batch-1')
    clock.pass(dayMs - 1)
    const again = await submit(sandbox, [email('jane@example.com')], 'batch-1')
    expect(again.answer.job_id).toBe(first.answer.job_id)
    expect(sandbox.state.deletions.timesErased('jane@example.com')).toBe(1)
    expect((await submit(sandbox, [email('john@example.com')], 'batch-1')).status).toBe(400)
  })

  test('fails as a whole if one identifier was submitted in the last seven days', async () => {
    const { clock, sandbox } = await scene()
    await submit(sandbox, [email('jane@example.com')])
    clock.pass(7 * dayMs - 1)
    const { answer } = await submit(sandbox, [email('john@example.com'), email('Jane@example.com')])
    clock.pass(3_000)
    expect(await jobOf(sandbox, answer.job_id)).toMatchObject({
      status: 'failed',
      failure_reason: 'identifier_submitted_within_cooldown',
    })
    expect(sandbox.state.deletions.timesErased('john@example.com')).toBe(0)
    clock.pass(7 * dayMs)
    const later = await submit(sandbox, [email('jane@example.com')])
    clock.pass(3_000)
    expect(await jobOf(sandbox, later.answer.job_id)).toMatchObject({ status: 'completed' })
  })

  test.each([
    [
      'more than 1,000 identifiers',
      Array.from({ length: 1001 }, (_, n) => email(`user${n}@example.com`)),
      413,
    ],
    ['more than 512 KB', [email(`${'a'.repeat(512 * 1024)}@example.com`)], 413],
    ['no identifier', [], 400],
    ['an unknown type', [{ type: 'name', value: 'Jane' }], 400],
    ['a variable without its name', [{ type: 'variable_match', value: 'gold' }], 400],
  ])('refuses %s', async (_, identifiers, status) => {
    const { sandbox } = await scene()
    expect((await submit(sandbox, identifiers)).status).toBe(status)
    expect(sandbox.state.deletions.count).toBe(0)
  })

  test('knows no job that was not made', async () => {
    const { sandbox } = await scene()
    expect(await jobOf(sandbox, 'deletion-000404')).toMatchObject({ httpStatus: 404 })
  })
})
