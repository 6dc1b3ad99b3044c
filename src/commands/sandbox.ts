import { sandboxKey } from '../sandbox/options.js'
import type { SandboxOptions } from '../sandbox/server.js'
import { startSandbox } from '../sandbox/server.js'
import { parseCount, parseDuration, parseLimits, parseShare } from '../settings/values.js'
import { UsageError } from '../system/errors.js'
import type { Command } from './command.js'
import type { Flags } from './options.js'

const text = { type: 'string', requiresArg: true } as const

const sandboxOptions = {
  port: { ...text, describe: 'Port on 127.0.0.1 (a free one)' },
  key: { ...text, describe: `The key that it takes (${sandboxKey})` },
  limit: {
    ...text,
    array: true,
    describe: 'A window that it enforces, repeatable; or none (30/s and 300/m)',
  },
  'window-kind': {
    ...text,
    choices: ['sliding', 'fixed', 'bucket'],
    describe: 'How it keeps its windows (sliding)',
  },
  latency: { ...text, describe: 'Time for an answer: 200ms, or from-to: 5ms-500ms' },
  'error-rate': { ...text, describe: 'Part of calls answered with a 5xx, like 5%' },
  'drop-rate': { ...text, describe: 'Part of calls whose connection is cut, like 1%' },
  outage: { ...text, describe: 'Fails every call for a time: 30s after 10s is 10s+30s' },
  conversations: { ...text, describe: 'So many invented conversations come out of its Data Export (0)' },
  'deletion-time': { ...text, describe: 'How long its deletion jobs take (3s)' },
  seed: { ...text, describe: 'The same seed, the same faults' },
  json: { type: 'boolean', describe: 'Print the address as JSON' },
} as const

export const command: Command = {
  flags: (argv) =>
    argv
      .options(sandboxOptions)
      .example('$0 sandbox --port 8080', 'Serve on http://127.0.0.1:8080 until Ctrl-C')
      .example('$0 sandbox --port 8080 --latency 5ms-500ms --error-rate 5%', 'A slow and shaky one'),

  async run(flags: Flags<typeof sandboxOptions>, shell) {
    const sandbox = await startSandbox(settingsOf(flags))
    const key = flags.key ?? sandboxKey
    // Whoever reads that it answers may end it at once.
    const ended = new Promise<NodeJS.Signals>((resolve) => {
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => resolve(name))
    })
    if (flags.json) shell.print(JSON.stringify({ url: sandbox.url, key }))
    else shell.print(`The sandbox answers on ${sandbox.url} to the key ${key}. Ctrl-C ends it.`)
    const signal = await ended
    await sandbox.close()
    return signal === 'SIGINT' ? 130 : 143
  },
}

function settingsOf(flags: Flags<typeof sandboxOptions>): SandboxOptions {
  const { port, key, limit, latency, outage, seed, conversations } = flags
  const errorRate = flags['error-rate']
  const dropRate = flags['drop-rate']
  const deletionTime = flags['deletion-time']
  const windowKind = flags['window-kind'] as SandboxOptions['windowKind']
  return {
    ...(port === undefined ? {} : { port: parseCount(port, '--port', 0, 65_535) }),
    ...(key === undefined ? {} : { key }),
    ...(limit === undefined ? {} : { limits: parseLimits(limit) }),
    ...(windowKind === undefined ? {} : { windowKind }),
    ...(latency === undefined ? {} : { latencyMs: parseSpan(latency) }),
    ...(errorRate === undefined ? {} : { errorRate: parseRate(errorRate, '--error-rate') }),
    ...(dropRate === undefined ? {} : { dropRate: parseRate(dropRate, '--drop-rate') }),
    ...(outage === undefined ? {} : { outage: parseOutage(outage) }),
    ...(conversations === undefined
      ? {}
      : { conversations: parseCount(conversations, '--conversations', 0, 1_000_000) }),
    ...(deletionTime === undefined ? {} : { deletionMs: parseDuration(deletionTime, '--deletion-time') }),
    ...(seed === undefined ? {} : { seed: parseCount(seed, '--seed', 0) }),
  }
}

function parseRate(text: string, flag: string): number {
  return /^0+(\.0+)?%?$/.test(text) ? 0 : parseShare(text, flag)
}

function parseSpan(text: string): { min: number; max: number } {
  const [from, to = from, ...more] = text.split('-').map((part) => parseDuration(part, '--latency'))
  if (from === undefined || to === undefined || more.length > 0 || from > to) {
    throw new UsageError(`--latency ${text}: write a time, like 200ms, or two, like 5ms-500ms.`)
  }
  return { min: from, max: to }
}

function parseOutage(text: string): { afterMs: number; forMs: number } {
  const [after, duration, ...more] = text.split('+')
  if (after === undefined || duration === undefined || more.length > 0) {
    throw new UsageError(`--outage ${text}: write when it begins and how long it lasts, like 10s+30s.`)
  }
  return { afterMs: parseDuration(after, '--outage'), forMs: parseDuration(duration, '--outage') }
}
