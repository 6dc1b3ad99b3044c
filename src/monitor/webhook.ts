import { type Notice, newsText, type RunNews } from './notifier.js'
import type { Post } from './post.js'

const slackHosts = ['hooks.slack.com', 'hooks.slack-gov.com']

/** Posts how a run ended, and that the API fails for everybody: as JSON, or as a message to Slack. */
export function openWebhook(url: URL, post: Post): Notice {
  const bodyOf = slackHosts.includes(url.hostname)
    ? slackMessage
    : (news: RunNews) => ({ ...news, text: newsText(news) })
  return {
    name: `--notify ${url.origin}`,
    everyMs: Number.POSITIVE_INFINITY,
    async tell(news, signal) {
      if (news.event === 'started') return
      await post(url, { type: 'application/json', body: JSON.stringify(bodyOf(news)) }, signal)
    },
  }
}

/** Without Slack's formatting, which would take the underscores of our words for italics. */
export function slackMessage(news: RunNews): { text: string; mrkdwn: false } {
  const lines = [newsText(news)]
  if (news.directory !== null) lines.push(`${news.host}: ${news.directory}`)
  return { text: slackEscaped(lines.join('\n')), mrkdwn: false }
}

/** Slack takes these three for its own, and `<!channel>` would call everybody. */
function slackEscaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
