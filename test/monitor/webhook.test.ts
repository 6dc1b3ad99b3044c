import { expect, onTestFinished, test } from 'vitest'
import { openPost, openWebhook, type PostedMessage, type PostRetries } from '../../src/monitor/webhook.js'
import { hang, type Listener, ok, reset, startListener, status } from './listener.js'
import { failedToStart, finished, going, started, stopped } from './notifications.js'

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
  await webhook.notify(finished, signal)
  expect(posted[0]!.url).toBe('https://ops.example.com/hook?token=s3cret')
  expect(posted[0]!.message.type).toBe('application/json')
  expect(body()).toEqual({ ...finished, text: expect.stringContaining('is finished after 6 min 1 s') })
})

test('a stop, the breaker and a failed start are posted; a start and progress are not', async () => {
  const { webhook, posted, body } = listenTo('https://ops.example.com/hook')
  await webhook.notify(started, signal)
  expect(posted).toEqual([])
  for (const notification of [stopped, { ...going, event: 'breaker-opened' as const }, failedToStart]) {
    await webhook.notify(notification, signal)
    expect(body()).toMatchObject({
      event: notification.event,
      exitCode: notification.exitCode,
      text: expect.any(String),
    })
  }
  expect(webhook.everyMs).toBe(Number.POSITIVE_INFINITY)
})

test.each(['https://hooks.slack.com/services/T0/B0/x', 'https://hooks.slack-gov.com/services/T0/B0/x'])(
  'Slack gets a message in its own form: %s',
  async (address) => {
    const { webhook, body } = listenTo(address)
    await webhook.notify({ ...stopped, stoppedBecause: 'HTTP 502: <!channel> <b>A & B</b>' }, signal)
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
  await webhook.notify(finished, signal)
  expect(body()).toMatchObject({ event: 'finished' })
})

test('its name shows no more of the address than the host', () => {
  expect(listenTo('https://hooks.slack.com/services/T0/B0/s3cret').webhook.name).toBe(
    '--notify https://hooks.slack.com',
  )
})

const never = new AbortController().signal
const secret = '/services/T0/B0/s3cret?token=s3cret'
const quick: PostRetries = { timeoutMs: 30_000, triesMax: 3, pauseMs: 1 }

async function listen(answer: Listener['answer']): Promise<Listener> {
  const listener = await startListener(answer)
  onTestFinished(listener.close)
  return listener
}

/** What is thrown says nothing of the address but perhaps its host. */
async function faultOf(origin: string, retries = quick, signal = never): Promise<string> {
  const message = { type: 'text/plain', body: 'cleanup is finished' }
  const fault = await openPost(retries)(new URL(secret, origin), message, signal).then(
    () => '',
    (error: Error) => error.message,
  )
  expect(fault).not.toMatch(/s3cret|services/)
  return fault
}

test('a message is posted once to one who answers', async () => {
  const { url, heard } = await listen(ok)
  expect(await faultOf(url)).toBe('')
  expect(heard).toEqual([{ method: 'POST', path: secret, type: 'text/plain', body: 'cleanup is finished' }])
})

test('what may pass is tried again, three times at most', async () => {
  const busy = await listen((response, index) =>
    index < 3 ? status(503)(response, index) : ok(response, index),
  )
  expect(await faultOf(busy.url)).toBe('')
  expect(busy.heard).toHaveLength(3)
  const broken = await listen(status(500))
  expect(await faultOf(broken.url)).toBe('HTTP 500')
  expect(broken.heard).toHaveLength(3)
})

test('what will not pass is not tried again', async () => {
  const gone = await listen(status(404))
  expect(await faultOf(gone.url)).toBe('HTTP 404')
  expect(gone.heard).toHaveLength(1)
})

test('a redirect is not followed', async () => {
  const elsewhere = await listen(ok)
  const { url } = await listen(status(307, { location: elsewhere.url }))
  expect(await faultOf(url)).toBe('HTTP 307')
  expect(elsewhere.heard).toEqual([])
})

test('a connection that is cut, and one that is not made, are named by their codes', async () => {
  expect(await faultOf((await listen(reset)).url)).toMatch(/^(UND_ERR_SOCKET|ECONNRESET)$/)
  expect(await faultOf(`http://127.0.0.1:${await closedPort()}`)).toBe('ECONNREFUSED')
  // A port that fetch refuses to call.
  expect(await faultOf('http://127.0.0.1:6000')).toBe('cannot be reached')
})

test('one who does not answer is given up', async () => {
  const { url, heard } = await listen(hang)
  expect(await faultOf(url, { ...quick, timeoutMs: 50, triesMax: 2 })).toBe('no answer in time')
  expect(heard.length).toBeLessThanOrEqual(2)
})

test('when there is no more time, nothing is tried again', async () => {
  const noMore = new AbortController()
  const { url, heard } = await listen(() => noMore.abort())
  expect(await faultOf(url, quick, noMore.signal)).toBe('no answer in time')
  expect(heard).toHaveLength(1)
  expect(await faultOf(url, quick, AbortSignal.abort())).toBe('no answer in time')
  expect(heard).toHaveLength(1)
})

async function closedPort(): Promise<string> {
  const listener = await startListener()
  listener.close()
  return new URL(listener.url).port
}
