import { describe, expect, test } from 'vitest'
import { openRedisLedger } from '../../src/pacing/redis.js'
import { takeRedisLock } from '../../src/runs/redis-lock.js'
import { systemClock } from '../../src/system/clock.js'
import { UsageError } from '../../src/system/errors.js'

const answering = (answer: unknown) => ({ script: () => async () => answer })

describe('something that answers like a Redis, and is none of ours', () => {
  test.each([
    ['nothing', null],
    ['a number', 5],
    ['a text', 'OK'],
    ['an empty list', []],
    ['half an answer', ['epoch', '1', '2']],
    ['words for numbers', ['epoch', '1', '2', 'soon', 'many', '', 'long']],
    ['no wait', ['epoch', '1', '2', '600000', '1', '1', null]],
  ])('%s to the ledger is refused in words', async (_, answer) => {
    const instance = 'https://acme.ada.support'
    const opening = openRedisLedger({ connection: answering(answer), instance, clock: systemClock })
    await expect(opening).rejects.toThrow(UsageError)
    await expect(opening).rejects.toThrow(/none of ours: see that --redis-url/)
  })

  test.each(['held', '{', 'null', '{"pid":"x"}', '[]'])(
    '%j under the name of a lock is refused in words',
    async (held) => {
      const lock = { name: 'job end-conversations-1b4f', run: '/runs/one', clock: systemClock, onLost() {} }
      const taking = takeRedisLock({ ...lock, connection: answering(held) })
      await expect(taking).rejects.toThrow(UsageError)
      await expect(taking).rejects.toThrow(
        /ada-bulk:lock:\{job end-conversations-1b4f\} that is no lock of ours/,
      )
    },
  )
})
