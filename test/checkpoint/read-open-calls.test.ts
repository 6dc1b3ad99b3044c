import { describe, expect, test } from 'vitest'
import { readCheckpoint } from '../../src/checkpoint/read.js'
import { back, openOf, path, sent, settledAs, write } from './read-scene.js'

describe('open calls', () => {
  test('are counted, and lost until they come back', async () => {
    await write(sent(3), back(3), sent(3), sent(4), sent(5), back(5), sent(5), back(5))
    const state = readCheckpoint(path)
    expect(openOf(state)).toEqual({
      3: { calls: 2, isAnswerLost: true },
      4: { calls: 1, isAnswerLost: true },
      5: { calls: 2, isAnswerLost: false },
    })
    expect(state.requests).toEqual({ sent: 5, rateLimited: 0 })
  })

  test('stay lost when a later call for the item comes back, in whichever execution', async () => {
    // The first call may have ended the conversation: nothing that the second says can take that back.
    await write(sent(3), sent(3), back(3))
    expect(openOf(readCheckpoint(path))).toEqual({ 3: { calls: 2, isAnswerLost: true } })
    await write({ does: 'resume' }, sent(3), back(3))
    expect(openOf(readCheckpoint(path))).toEqual({ 3: { calls: 3, isAnswerLost: true } })
    await write(
      { does: 'change' },
      { does: 'carry', ordinal: 9, calls: 3, isAnswerLost: true },
      sent(9),
      back(9),
    )
    expect(openOf(readCheckpoint(path))).toEqual({ 9: { calls: 4, isAnswerLost: true } })
  })

  test('that only look are counted and never in doubt, and take no doubt away', async () => {
    await write(
      sent(3, true),
      sent(4),
      sent(4, true),
      back(4, 'server_error', true),
      sent(5, true),
      sent(5),
      back(5),
    )
    const state = readCheckpoint(path)
    expect(openOf(state)).toEqual({
      3: { calls: 1, isAnswerLost: false },
      4: { calls: 2, isAnswerLost: true },
      5: { calls: 2, isAnswerLost: false },
    })
    expect(state.requests.sent).toBe(5)
  })

  test('that settled their item are not open', async () => {
    await write(sent(3), back(3), sent(3), settledAs(3), sent(4))
    expect(openOf(readCheckpoint(path))).toEqual({ 4: { calls: 1, isAnswerLost: true } })
  })

  test('over a rate limit are counted', async () => {
    await write(sent(1), back(1, 'rate_limited'), sent(1), back(1, 'rate_limited'), sent(2))
    expect(readCheckpoint(path).requests).toEqual({ sent: 3, rateLimited: 2 })
  })
})

describe('a changed input', () => {
  test('voids all that was settled and open, and keeps what was sent', async () => {
    await write(
      settledAs(0),
      sent(1),
      { does: 'change' },
      { does: 'carry', ordinal: 7, calls: 3, isAnswerLost: false },
    )
    await write(settledAs(5, 'failed', 'not_found'))
    let voids = 0
    const seen: number[] = []
    const state = readCheckpoint(path, {
      onSettled: (ordinal) => seen.push(ordinal),
      onInputChanged: () => {
        voids += 1
      },
    })
    expect(state.settled.size).toBe(1)
    expect(state.tally.reasons()).toEqual({ not_found: 1 })
    expect(openOf(state)).toEqual({ 7: { calls: 3, isAnswerLost: false } })
    expect(state.requests.sent).toBe(1)
    expect(seen).toEqual([0, 5])
    expect(voids).toBe(1)
  })
})

test('an answer too many does not hide that a later one is lost', async () => {
  await write(
    { does: 'carry', ordinal: 3, calls: 1, isAnswerLost: false },
    { does: 'back', ordinal: 3, isRead: false, reason: 'server_error' },
    { does: 'sent', ordinal: 3, isRead: false },
  )
  expect(openOf(readCheckpoint(path))).toEqual({ 3: { calls: 2, isAnswerLost: true } })
})
