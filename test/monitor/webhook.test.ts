import { expect, test } from 'vitest'
import type { PostedMessage } from '../../src/monitor/post.js'
import { openWebhook } from '../../src/monitor/webhook.js'
import { failedToStart, finished, going, started, stopped } from './news.js'

const signal = new AbortController().signal

function listenTo(address: string) {
  const posted: { url: string; message: PostedMessage }[] = []
  const webhook = openWebhook(new URL(address), async (url, message) => {
    posted.push({ url: url.href, message })
  })
  return { webhook, posted, body: () => JSON.parse(posted.at(-1)!.message.body) }
}

test('the end of a run is posted with its figures and a sentence', async () => {
  const { webhook, posted, body } = listenTo('https://ops.example.com/hook?token=s3cret')
  await webhook.tell(finished, signal)
  expect(posted[0]!.url).toBe('https://ops.example.com/hook?token=s3cret')
  expect(posted[0]!.message.type).toBe('application/json')
  expect(body()).toEqual({ ...finished, text: expect.stringContaining('is finished after 6 min 1 s') })
})

test('a stop, the breaker and a bad start are told, the start is not', async () => {
  const { webhook, posted, body } = listenTo('https://ops.example.com/hook')
  await webhook.tell(started, signal)
  expect(posted).toEqual([])
  for (const news of [stopped, { ...going, event: 'breaker-opened' as const }, failedToStart]) {
    await webhook.tell(news, signal)
    expect(body()).toMatchObject({ event: news.event, exitCode: news.exitCode, text: expect.any(String) })
  }
  // A run that merely goes on is none of its business.
  expect(webhook.everyMs).toBe(Number.POSITIVE_INFINITY)
})

test.each(['https://hooks.slack.com/services/T0/B0/x', 'https://hooks.slack-gov.com/services/T0/B0/x'])(
  'Slack gets a message in its own form: %s',
  async (address) => {
    const { webhook, body } = listenTo(address)
    await webhook.tell({ ...stopped, stoppedBecause: 'HTTP 502: <!channel> <b>A & B</b>' }, signal)
    expect(Object.keys(body())).toEqual(['text', 'mrkdwn'])
    expect(body().mrkdwn).toBe(false)
    expect(body().text).toMatch(/^cleanup-.* stopped \(exit code 4\): HTTP 502: /)
    expect(body().text).toContain('&lt;!channel&gt; &lt;b&gt;A &amp; B&lt;/b&gt;')
    expect(body().text).toContain('\nbatch-1: /srv/ada/runs/cleanup-2026-11-22T01-00-00')
    expect(body().text).not.toMatch(/[<>]/)
  },
)

test('an address that only looks like Slack’s gets the JSON', async () => {
  const { webhook, body } = listenTo('https://hooks.slack.com.example.com/services/T0/B0/x')
  await webhook.tell(finished, signal)
  expect(body()).toMatchObject({ event: 'finished' })
})

test('its name shows no more of the address than the host', () => {
  expect(listenTo('https://hooks.slack.com/services/T0/B0/s3cret').webhook.name).toBe(
    '--notify https://hooks.slack.com',
  )
})
