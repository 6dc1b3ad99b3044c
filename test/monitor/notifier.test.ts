import { expect, test } from 'vitest'
import { notificationText, withoutPersonal } from '../../src/monitor/notifier.js'
import { failedToStart, finished, going, started, stopped } from './notifications.js'

test.each([
  [
    started,
    'cleanup-2026-11-22T01-00-00 on https://acme.ada.support has begun. 1,500 items: 300 succeeded, 2 failed, 1 duplicate, 1,197 left.',
  ],
  [
    finished,
    'cleanup-2026-11-22T01-00-00 on https://acme.ada.support is finished after 6 min 1 s (exit code 0). 1,500 items: 1,499 succeeded, 1 duplicate.',
  ],
  [
    stopped,
    'cleanup-2026-11-22T01-00-00 on https://acme.ada.support stopped (exit code 4): 30 of 120 items failed (25 %), more than --max-failures 20% allows. 1,500 items: 300 succeeded, 2 failed, 1 duplicate, 1,197 left.',
  ],
  [
    { ...going, event: 'breaker-opened' as const },
    'cleanup-2026-11-22T01-00-00 on https://acme.ada.support waits: the API is failing for everybody. 1,500 items: 300 succeeded, 2 failed, 1 duplicate, 1,197 left.',
  ],
  [failedToStart, 'cleanup could not start (exit code 2): no API key: set ADA_API_KEY.'],
  [
    { ...failedToStart, event: 'finished' as const, exitCode: 0, job: null },
    'ada-bulk: nothing is left to do (exit code 0).',
  ],
])('what is told is a sentence or two: %j', (news, text) => {
  expect(notificationText(news)).toBe(text)
})

test.each([
  ['--max-duration reached', '--max-duration reached'],
  ['the API refused the key (HTTP 401: Unauthorized)', 'the API refused the key (HTTP 401: Unauthorized)'],
  [
    'The API has failed every call for 5 minutes. Last: no row for mia.lopez+a@example.co.uk, +49 170 1234567',
    'The API has failed every call for 5 minutes. Last: no row for [address], [number]',
  ],
  [
    'Last: conversation 66f2a91c4be07d3f5c1e0404 of 123e4567-e89b-12d3-a456-426614174000 (4915112345678)',
    'Last: conversation [id] of [id] ([number])',
  ],
  ['connect ECONNREFUSED 127.0.0.1:8080 on 2026-11-22', 'connect ECONNREFUSED 127.0.0.1:8080 on 2026-11-22'],
  [`Last: ${'word '.repeat(100)}`, `Last: ${'word '.repeat(100)}`.slice(0, 199).concat('…')],
])('what may be about a person is taken out of why a run stopped: %j', (because, told) => {
  expect(withoutPersonal(because)).toBe(told)
})
