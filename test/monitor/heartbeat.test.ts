import { expect, test } from 'vitest'
import { openHeartbeat } from '../../src/monitor/heartbeat.js'
import type { Notification } from '../../src/monitor/notifier.js'
import { failedToStart, finished, going, started, stopped } from './notifications.js'

const id = '123e4567-e89b-42d3-a456-426614174000'

async function pingsOf(address: string, ...sent: Notification[]): Promise<{ url: string; body: string }[]> {
  const pings: { url: string; body: string }[] = []
  const heartbeat = openHeartbeat(
    new URL(address),
    async (url, { body }) => {
      pings.push({ url: url.href, body })
    },
    id,
  )
  for (const notification of sent) await heartbeat.notify(notification, new AbortController().signal)
  return pings
}

test('start, life and exit code are pinged, all with one ID, and with a sentence', async () => {
  const check = 'https://hc-ping.com/5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278'
  const pings = await pingsOf(check, started, going, { ...going, event: 'breaker-opened' }, finished)
  expect(pings.map(({ url }) => url)).toEqual(
    ['start', 'log', 'log', '0'].map((ping) => `${check}/${ping}?rid=${id}`),
  )
  expect(pings[3]!.body).toContain('is finished')
})

test.each([
  [0, '0'],
  // It was told to stop then, and a check that goes down every night is one that nobody looks at.
  [75, '0'],
  [1, '1'],
  [2, '2'],
  [3, '3'],
  [4, '4'],
  [130, '130'],
  [143, '143'],
])('exit code %i is pinged as %s', async (exitCode, ping) => {
  const [told] = await pingsOf('https://hc-ping.com/uuid', { ...stopped, exitCode })
  expect(told!.url).toBe(`https://hc-ping.com/uuid/${ping}?rid=${id}`)
})

test('a run that could not start is a failure', async () => {
  expect(await pingsOf('https://hc-ping.com/uuid', failedToStart)).toEqual([
    { url: `https://hc-ping.com/uuid/2?rid=${id}`, body: expect.stringContaining('no API key') },
  ])
})

test.each([
  ['https://hc-ping.com/key/cleanup?create=1', `https://hc-ping.com/key/cleanup/start?create=1&rid=${id}`],
  ['https://hc-ping.com/uuid/', `https://hc-ping.com/uuid/start?rid=${id}`],
  ['http://127.0.0.1:8000/ping/uuid#top', `http://127.0.0.1:8000/ping/uuid/start?rid=${id}#top`],
])('%s keeps what else it has', async (address, url) => {
  expect((await pingsOf(address, started))[0]!.url).toBe(url)
})
