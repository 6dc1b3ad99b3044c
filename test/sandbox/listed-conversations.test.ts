import { describe, expect, test } from 'vitest'
import { call, end, StillClock } from './client.js'
import {
  conversations,
  daysAgo,
  type ExportRecord,
  exporting,
  idOf,
  idsOf,
  iso,
  naive,
  nowMs,
  pagesOf,
  query,
  read,
} from './exports.js'
import type { Sandbox } from './sandboxes.js'

const id = '66f0b7d24c19a3e85d7b9a14'

describe('a conversation that was added', () => {
  const path = `/api/v2/conversations/${id}/`
  const moments = async (sandbox: Sandbox) => {
    const { body } = await read(sandbox, query(conversations, { created_since: iso(daysAgo(30)) }))
    const one = await read(sandbox, path)
    const [record] = body.data
    return {
      exported: [record.date_created, record.date_updated, record.record_last_updated],
      read: [one.body.status, one.body.created_at, one.body.updated_at],
    }
  }
  const expected = (status: string, updatedAtMs: number) => ({
    exported: [naive(daysAgo(30)), naive(updatedAtMs), naive(updatedAtMs)],
    read: [status, `${naive(daysAgo(30))}+00:00`, `${naive(updatedAtMs)}+00:00`],
  })

  test.each([
    [true, nowMs + 5_000],
    [false, daysAgo(20)],
  ])('is updated by its end, or not: %j', async (endingUpdates, thenMs) => {
    const clock = new StillClock()
    const sandbox = await exporting({ endingUpdates, clock })
    sandbox.state.conversations.add({ id, createdAtMs: daysAgo(30), updatedAtMs: daysAgo(20) })
    expect(await moments(sandbox)).toEqual(expected('active', daysAgo(20)))
    clock.pass(5_000)
    expect((await end(sandbox, id)).status).toBe(200)
    expect(await moments(sandbox)).toEqual(expected('ended', thenMs))
    clock.pass(5_000)
    expect((await end(sandbox, id)).status).toBe(400)
    expect(await moments(sandbox)).toEqual(expected('ended', thenMs))
  })

  test('may have been ended before, and then nobody comes back to it', async () => {
    const sandbox = await exporting()
    const { state } = sandbox
    state.conversations.add({ id, createdAtMs: daysAgo(30), isEnded: true })
    expect(state.isEnded(id)).toBe(true)
    expect((await end(sandbox, id)).status).toBe(400)
    expect(() => state.conversations.touch(id, nowMs)).toThrow('a new message opens a new one')
    expect(() => state.conversations.touch(idOf(1), nowMs)).toThrow('was not added')
    expect(() => state.conversations.add({ id, createdAtMs: daysAgo(1) })).toThrow('is listed already')
  })

  test('may be with a person, which the export knows as escalated for ever', async () => {
    const sandbox = await exporting()
    const record = async () =>
      (await read(sandbox, query(conversations, { created_since: iso(daysAgo(7)) }))).body.data[0]
    const endHandoff = async () => (await call(sandbox, 'POST', `${path}end-handoff/`)).status
    sandbox.state.conversations.add({ id, createdAtMs: daysAgo(3) })
    const before = await record()
    expect([before.is_escalated, before.agent_id, await endHandoff()]).toEqual([false, [], 422])
    sandbox.state.conversations.handOff(id)
    expect([await endHandoff(), await endHandoff()]).toEqual([200, 422])
    const { agent_id, agent_name, agent_handle_time, is_escalated, ...rest } = await record()
    expect([is_escalated, agent_id.length, agent_name.length]).toEqual([true, 1, 1])
    expect(agent_handle_time).toBeGreaterThan(0)
    expect(before).toMatchObject(rest)
  })
})

describe('invented conversations', () => {
  const everything = async (sandbox: Sandbox, date: 'created' | 'updated') => {
    const records: ExportRecord[] = []
    for (const days of [120, 90, 60, 30, 0]) {
      const span = { [`${date}_since`]: iso(daysAgo(days)), [`${date}_to`]: iso(daysAgo(days - 30)) }
      records.push(...(await pagesOf(sandbox, query(conversations, span))).flat())
    }
    return records
  }

  test('are as many as asked for, spread over 120 days, and some of all kinds', async () => {
    const sandbox = await exporting({ conversations: 1_200 })
    const [created, updated] = [await everything(sandbox, 'created'), await everything(sandbox, 'updated')]
    expect(new Set(idsOf(created)).size).toBe(1_200)
    expect(idsOf(updated).toSorted()).toEqual(idsOf(created).toSorted())
    const lastMonth = created.filter(({ date_created }) => (date_created as string) >= naive(daysAgo(30)))
    expect(lastMonth.length).toBeGreaterThan(280)
    expect(lastMonth.length).toBeLessThan(320)
    const ended = created.filter(({ _id }) => sandbox.state.isEnded(_id)).length
    expect(Math.abs(ended - 480)).toBeLessThan(100)
    for (const field of ['language', 'platform', 'is_engaged', 'is_escalated', 'is_test_user']) {
      expect(new Set(created.map((record) => record[field])).size, field).toBeGreaterThan(1)
    }
    expect(sandbox.state.acted).toBe(0)
  })

  test('are the same again with the same seed', async () => {
    const of = async (seed: number) => everything(await exporting({ conversations: 50, seed }), 'created')
    expect(await of(1)).toEqual(await of(1))
    expect(idsOf(await of(2))).not.toEqual(idsOf(await of(1)))
  })
})
