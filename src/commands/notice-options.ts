import type { Options } from 'yargs'
import { openHeartbeat } from '../monitor/heartbeat.js'
import { openMetricsFile } from '../monitor/metrics-file.js'
import type { Notice } from '../monitor/notifier.js'
import { parseMetricsFile, parseNoticeUrl } from '../monitor/notifier-addresses.js'
import { openPost } from '../monitor/post.js'
import { openWebhook } from '../monitor/webhook.js'
import type { Environment } from '../settings/environment.js'
import type { Flags } from './options.js'

const text = { type: 'string', requiresArg: true, group: 'Telling others:' } as const

export const noticeOptions = {
  notify: {
    ...text,
    array: true,
    describe:
      'POST how a run ends, and that the API is down, as JSON or to Slack; repeatable [ADA_BULK_NOTIFY]',
  },
  heartbeat: { ...text, describe: 'Ping a check like those of healthchecks.io [ADA_BULK_HEARTBEAT]' },
  'metrics-file': {
    ...text,
    describe: "A .prom file for node_exporter's textfile collector [ADA_BULK_METRICS_FILE]",
  },
} as const satisfies Record<string, Options>

export type NoticeFlags = Partial<Flags<typeof noticeOptions>>

/** The notices that are asked for by a flag, else by its variable: an address in a flag could be read by others. */
export function askedNotices(flags: NoticeFlags, environment: Environment): Notice[] {
  const post = openPost()
  return [
    // The variable may hold several, with spaces between them.
    ...asked(flags.notify, '--notify', environment.ADA_BULK_NOTIFY?.match(/\S+/g), 'ADA_BULK_NOTIFY').map(
      ([text, where]) => openWebhook(parseNoticeUrl(text, where), post),
    ),
    ...asked(flags.heartbeat, '--heartbeat', environment.ADA_BULK_HEARTBEAT, 'ADA_BULK_HEARTBEAT').map(
      ([text, where]) => openHeartbeat(parseNoticeUrl(text, where), post),
    ),
  ]
}

/** The same for the metrics file; a list of one or none. Throws a UsageError when it cannot be written. */
export function askedMetricsFile(flags: NoticeFlags, environment: Environment): Notice[] {
  const file = environment.ADA_BULK_METRICS_FILE
  return asked(flags['metrics-file'], '--metrics-file', file, 'ADA_BULK_METRICS_FILE').map(([text, where]) =>
    openMetricsFile(parseMetricsFile(text, where)),
  )
}

type Words = string | readonly string[] | null | undefined

/** What was asked for, each with where; a flag wins, and an empty variable is none. */
function asked(typed: Words, flag: string, set: Words, variable: string): [text: string, where: string][] {
  if (typed !== undefined) return [typed ?? []].flat().map((text) => [text, flag])
  return [set || []].flat().map((text) => [text, variable])
}
