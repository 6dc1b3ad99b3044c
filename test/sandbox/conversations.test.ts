import { setupServer } from 'msw/node'
import { describe, expect, test } from 'vitest'
import { call, end, sandboxWith } from './client.js'
import { createAda } from './sandboxes.js'

const id = '66f0b7d24c19a3e85d7b9a14'
const of = (conversationId: string) => `/api/v2/conversations/${conversationId}/`

function errorOf(text: string | null): { type: string; message: string; details: unknown } {
  return JSON.parse(text!).errors[0]
}

describe('ending a conversation', () => {
  test('works once, and then it is expired', async () => {
    const sandbox = await sandboxWith()
    const first = await end(sandbox, id)
    expect([first.status, JSON.parse(first.text!)]).toEqual([
      200,
      { message: 'Conversation ended successfully.' },
    ])
    expect(first.headers.get('content-type')).toBe('application/json')
    const second = await end(sandbox, id)
    expect(second.status).toBe(400)
    expect(errorOf(second.text)).toEqual({
      type: 'validation_error',
      message: 'Conversation is expired',
      details: null,
    })
    expect(sandbox.state.isEnded(id)).toBe(true)
    expect(sandbox.state.timesCalled(id)).toBe(2)
    expect(sandbox.state.acted).toBe(1)
  })

  test('takes IDs of other shapes, escaped in the path', async () => {
    const sandbox = await sandboxWith()
    expect((await end(sandbox, encodeURIComponent('chat:ü 1'))).status).toBe(200)
    expect(sandbox.state.isEnded('chat:ü 1')).toBe(true)
  })

  test.each(['5.0E+23', '="66f2a91c4be07d3f5c1e0001"', 'NULL'])('has no conversation %j', async (id) => {
    const sandbox = await sandboxWith()
    expect((await end(sandbox, encodeURIComponent(id))).status).toBe(404)
  })

  test('refuses an ID of more than 200 characters', async () => {
    const sandbox = await sandboxWith()
    expect((await end(sandbox, 'a'.repeat(200))).status).toBe(200)
    const { status, text } = await end(sandbox, 'a'.repeat(201))
    expect([status, errorOf(text).type]).toEqual([400, 'validation_error'])
  })

  test('without the final slash is redirected, and a client that follows ends nothing', async () => {
    const sandbox = await sandboxWith()
    const { status, headers } = await call(sandbox, 'POST', `${of(id)}end`)
    expect([status, headers.get('location')]).toEqual([301, `${of(id)}end/`])
    const followed = await call(sandbox, 'POST', `${of(id)}end`, { redirect: 'follow' })
    expect(followed.status).toBe(405)
    expect(sandbox.state.isEnded(id)).toBe(false)
  })
})

describe('special conversations', () => {
  const table: [string, string, number[], boolean][] = [
    ['one that does not exist', '66f2a91c4be07d3f5c1e0404', [404, 404], false],
    ['one that is already ended', '66f2a91c4be07d3f5c1e0400', [400, 400], true],
    ['one that is unavailable twice', '66f2a91c4be07d3f5c1e0503', [503, 503, 200, 400], true],
    ['one whose first answer gets lost', '66f2a91c4be07d3f5c1e0000', [0, 400], true],
    ['a phone call', '66f2a91c4be07d3f5c1e0422', [422, 422], false],
    ['one that always fails', '66f2a91c4be07d3f5c1e0500', [500, 500, 500, 500], false],
    ['one that a person has taken over', '66f2a91c4be07d3f5c1e0200', [200, 400], true],
  ]
  test.each(table)('%s', async (_, special, expected, isEndedThen) => {
    const sandbox = await sandboxWith()
    const statuses: number[] = []
    for (const _call of expected) statuses.push((await end(sandbox, special)).status)
    expect(statuses).toEqual(expected)
    expect(sandbox.state.isEnded(special)).toBe(isEndedThen)
  })
})

describe('reading a conversation', () => {
  test('says whether it is ended', async () => {
    const sandbox = await sandboxWith()
    const before = JSON.parse((await call(sandbox, 'GET', of(id))).text!)
    expect(Object.keys(before)).toEqual([
      'id',
      'channel_id',
      'end_user_id',
      'status',
      'created_at',
      'updated_at',
      'metadata',
    ])
    expect([before.id, before.status]).toEqual([id, 'active'])
    await end(sandbox, id)
    expect(JSON.parse((await call(sandbox, 'GET', of(id))).text!).status).toBe('ended')
  })
})

describe('ending a handoff', () => {
  test('works while one is active, and leaves the conversation open', async () => {
    const sandbox = await sandboxWith()
    sandbox.state.conversations.handOff(id)
    expect((await call(sandbox, 'POST', `${of(id)}end-handoff/`)).status).toBe(200)
    expect(sandbox.state.acted).toBe(1)
    expect((await call(sandbox, 'POST', `${of(id)}end-handoff/`)).status).toBe(422)
    expect(sandbox.state.isEnded(id)).toBe(false)
    expect(sandbox.state.acted).toBe(1)
  })

  test('is refused when the conversation was ended meanwhile', async () => {
    const sandbox = await sandboxWith()
    sandbox.state.conversations.handOff(id)
    await end(sandbox, id)
    expect((await call(sandbox, 'POST', `${of(id)}end-handoff/`)).status).toBe(422)
  })
})

test.each([
  ['GET', `${of(id)}end/`, 405],
  ['DELETE', of(id), 405],
  ['GET', '/api/v2/conversations/', 404],
  ['POST', '/api/v2/conversations//end/', 404],
  ['POST', '/api/v2/conversations/%E0%A4%A/end/', 404],
  ['POST', `${of(id)}end//`, 404],
  ['GET', '/', 404],
])('%s %s is answered with %i', async (method, path, status) => {
  const answer = await call(await sandboxWith(), method, path)
  expect(answer.status).toBe(status)
  expect(errorOf(answer.text).type).toMatch(/^(method_not_allowed|resource_not_found)$/)
})

test('the same handlers serve a test that has no server, whatever the host', async () => {
  const ada = createAda({ limits: [{ max: 1, perMs: 60_000 }] })
  const server = setupServer(...ada.handlers)
  server.listen({ onUnhandledRequest: 'error' })
  try {
    const send = (ending: string) =>
      fetch(`https://acme.eu.ada.support${of(ending)}end/`, {
        method: 'POST',
        headers: { authorization: 'Bearer sandbox-key' },
      })
    const first = await send(id)
    expect([first.status, await first.json()]).toEqual([200, { message: 'Conversation ended successfully.' }])
    expect((await send(id)).status).toBe(429)
    expect(ada.state.isEnded(id)).toBe(true)
  } finally {
    server.close()
  }
})
