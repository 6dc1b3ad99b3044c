import { sandboxKey } from '../sandbox/options.js'
import type { SandboxOptions } from '../sandbox/server.js'
import { startSandbox } from '../sandbox/server.js'
import { type FlagsOf, typedIn } from '../settings/flags.js'
import { parseDuration } from '../settings/values.js'
import { UsageError } from '../system/errors.js'
import type { Command } from './command.js'

export const command: Command = {
  examples: [
    ['sandbox --port 8080', 'Serve on http://127.0.0.1:8080 until Ctrl-C'],
    ['sandbox --port 8080 --latency 5ms-500ms --error-rate 5%', 'A slow and shaky one'],
  ],

  async run(flags: FlagsOf<'sandbox'>, terminal) {
    const sandbox = await startSandbox(settingsOf(flags))
    const key = flags.key ?? sandboxKey
    // A reader of the next line may end the sandbox at once.
    const ended = new Promise<NodeJS.Signals>((resolve) => {
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => resolve(name))
    })
    if (flags.json) terminal.print(JSON.stringify({ url: sandbox.url, key }))
    else terminal.print(`The sandbox answers on ${sandbox.url} to the key ${key}. Ctrl-C ends it.`)
    const signal = await ended
    await sandbox.close()
    return signal === 'SIGINT' ? 130 : 143
  },
}

function settingsOf(flags: FlagsOf<'sandbox'>): SandboxOptions {
  const { key, latency, outage } = flags
  const options = {
    port: typedIn(flags, 'port'),
    key,
    limits: typedIn(flags, 'limit', 'sandbox'),
    windowKind: flags['window-kind'],
    latencyMs: latency === undefined ? undefined : parseSpan(latency),
    errorRate: typedIn(flags, 'error-rate'),
    dropRate: typedIn(flags, 'drop-rate'),
    outage: outage === undefined ? undefined : parseOutage(outage),
    conversations: typedIn(flags, 'conversations'),
    deletionMs: typedIn(flags, 'deletion-time'),
    seed: typedIn(flags, 'seed'),
  }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
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
