import { readFile } from 'node:fs/promises'
import { writeForOthers } from '../system/files.js'
import type { Notification, Notifier } from './notifier.js'

const everyMs = 15_000

/** Keeps a file for the textfile collector of Prometheus's node_exporter: how the run stands, and how the last one ended. */
export function openMetricsFile(path: string): Notifier {
  return {
    name: `--metrics-file ${path}`,
    everyMs,
    async notify(notification) {
      const before = await readFile(path, 'utf8').catch(() => '')
      await writeForOthers(path, metricsText(notification, before))
    },
  }
}

/** By these first words a file is known for one of ours. */
export const metricsFileBegins = '# HELP ada_bulk_'

/** A metric with its samples: what comes into the braces besides job and instance, and the value. */
type Gauge = [name: string, help: string, samples: [labels: string, value: number | null][]]

/** The file. What the run has nothing to say about, such as the last success, is taken over from `before`. */
export function metricsText(notification: Notification, before: string): string {
  const last = lastWords(before)
  const labels = notification.instance === null && last.labels !== null ? last.labels : labelsOf(notification)
  const kept = (name: string) => (labels === last.labels ? (last.values.get(name) ?? null) : null)
  const isOver = notification.exitCode !== null
  const { totals, requests } = notification
  const gauges: Gauge[] = [
    ['ada_bulk_run_running', 'Whether a run is at work.', [['', isOver ? 0 : 1]]],
    [
      'ada_bulk_run_breaker_open',
      'Whether the API fails for everybody, so that the run waits.',
      [['', notification.isBreakerOpen ? 1 : 0]],
    ],
    [
      'ada_bulk_run_start_timestamp_seconds',
      'When the run began, of a resumed one the first time.',
      [['', seconds(notification.startedAt)]],
    ],
    [
      'ada_bulk_run_items',
      'Items of the run by what became of them.',
      Object.entries(totals ?? {})
        .filter(([status]) => status !== 'read')
        .map(([status, times]) => [`status="${status}"`, times]),
    ],
    ['ada_bulk_run_calls', 'Calls that the run has sent.', [['', totals && requests.sent]]],
    [
      'ada_bulk_run_calls_rate_limited',
      'Calls of the run that were over a rate limit.',
      [['', totals && requests.rateLimited]],
    ],
    [
      lastFinish,
      'When the last run ended or stopped.',
      [['', isOver ? seconds(notification.finishedAt) : kept(lastFinish)]],
    ],
    [lastExitCode, 'The exit code of the last run.', [['', notification.exitCode ?? kept(lastExitCode)]]],
    [
      lastSuccess,
      'When a run last ended with exit code 0.',
      [['', notification.exitCode === 0 ? seconds(notification.finishedAt) : kept(lastSuccess)]],
    ],
  ]
  return gauges.map((gauge) => gaugeText(gauge, labels)).join('')
}

const lastFinish = 'ada_bulk_last_finish_timestamp_seconds'
const lastExitCode = 'ada_bulk_last_exit_code'
const lastSuccess = 'ada_bulk_last_success_timestamp_seconds'

function gaugeText([name, help, samples]: Gauge, labels: string): string {
  const known = samples.filter(([, value]) => value !== null)
  if (known.length === 0) return ''
  const lines = known.map(([own, value]) => `${name}{${[labels, own].filter(Boolean).join(',')}} ${value}\n`)
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines.join('')}`
}

/** Not `job` and `instance`: under these names Prometheus keeps what it scrapes from, and would rename ours. */
function labelsOf({ job, instance }: Notification): string {
  return `ada_job="${escaped(job ?? '')}",ada_instance="${escaped(instance ?? '')}"`
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

/** What an earlier file says of the last run, and of which job. */
function lastWords(text: string): { labels: string | null; values: Map<string, number> } {
  const samples = [...text.matchAll(/^(ada_bulk_last_\w+)\{(.*)\} (\d+(?:\.\d+)?)$/gm)]
  return {
    labels: samples[0]?.[2] ?? null,
    values: new Map(samples.map(([, name, , value]) => [name!, Number(value)])),
  }
}

function seconds(at: string | null): number | null {
  return at === null ? null : Date.parse(at) / 1000
}
