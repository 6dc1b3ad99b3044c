import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { concurrency, type Task, type Tool } from './tools.js'

/** Tools that people would use instead, each as somebody who knows it well would run it. */
type Peer = Omit<Tool, 'command'> & {
  command(task: Task): string[]
  environment?: (task: Task) => Environment
}
type Environment = Record<string, string>

const npmPackages = ['newman@6.2.2', '@crawlee/basic@3.18.1']
const key = 'authorization: Bearer k'
const urlOf = (url: string, id: string) => `${url}/api/v2/conversations/${id}/end/`
/** Between two calls, for tools that know one rate only. */
const delayMs = ({ limit }: Task) => (limit === null ? 0 : limit.perMs / limit.max)

/** Puts into `directory` what this machine does not have; what cannot be had is said in `missing`. */
export function fetchPeers(directory: string): { missing: string[] } {
  const missing: string[] = []
  if (!existsSync(join(directory, 'node_modules'))) {
    const words = ['install', '--prefix', directory, '--no-audit', '--no-fund', ...npmPackages]
    const npm = spawnSync('npm', words, { stdio: 'ignore', timeout: 300_000 })
    if (npm.status !== 0)
      missing.push(`newman, crawlee: \`npm install ${npmPackages.join(' ')}\` did not work.`)
  }
  copyFileSync(resolve('test/bench/crawlee.mjs'), join(directory, 'crawlee.mjs'))
  writeFileSync(join(directory, 'collection.json'), JSON.stringify(collection))
  if (spawnSync('curl', ['--version']).status !== 0) missing.push('curl: `apt-get install curl`.')
  if (gnuParallel(directory) === null) unpackParallel(directory)
  if (gnuParallel(directory) === null) missing.push('GNU parallel: `apt-get install parallel`.')
  return { missing }
}

/** Those that `fetchPeers` has found or put there. */
export function peersIn(directory: string): Tool[] {
  const hasCurl = spawnSync('curl', ['--version']).status === 0
  const parallel = gnuParallel(directory)
  const hasPackages = existsSync(join(directory, 'node_modules', 'newman'))
  return [
    ...(hasCurl && parallel !== null ? [parallelAndCurl(parallel)] : []),
    ...(hasCurl ? [curl] : []),
    ...(hasPackages ? [newman(directory), crawlee(directory)] : []),
    script,
  ].map((peer) => ({
    ...peer,
    command: (task) => ({ words: peer.command(task), environment: peer.environment?.(task) ?? {} }),
  }))
}

/** moreutils has a tool of the same name. */
function gnuParallel(directory: string): string | null {
  const own = join(directory, 'parallel/usr/bin/parallel')
  const isGnu = (path: string) =>
    String(spawnSync(path, ['--version']).stdout ?? '').startsWith('GNU parallel')
  return ['parallel', own].find(isGnu) ?? null
}

/** The package as Debian has it, unpacked beside the system. */
function unpackParallel(directory: string): void {
  const place = join(directory, 'parallel')
  mkdirSync(place, { recursive: true })
  try {
    execFileSync('apt-get', ['download', 'parallel'], { cwd: place, stdio: 'ignore', timeout: 60_000 })
    const archive = readdirSync(place).find((name) => name.endsWith('.deb'))!
    execFileSync('dpkg', ['-x', archive, '.'], { cwd: place, stdio: 'ignore' })
  } catch {}
}

function parallelAndCurl(path: string): Peer {
  return {
    name: 'GNU parallel + curl',
    throttled: '--delay, curl --retry 5',
    unthrottled: `-j ${concurrency}`,
    resumed: '--joblog, --resume-failed',
    command: (task) => {
      const pacing = task.limit === null ? [] : ['--delay', String(delayMs(task) / 1000)]
      const log = ['--joblog', join(task.directory, 'joblog'), ...(task.isResumed ? ['--resume-failed'] : [])]
      const call = `curl -sS --fail --retry 5 -o /dev/null -X POST -H '${key}' ${urlOf(task.url, '{}')}`
      return [path, '--will-cite', '-j', String(concurrency), ...pacing, ...log, '-a', task.list.lines, call]
    },
  }
}

/** `--rate` has no effect with `-Z`. */
const curl: Peer = {
  name: 'curl -Z',
  throttled: 'without -Z: --rate, --retry 5',
  unthrottled: `--parallel-max ${concurrency}`,
  resumed: null,
  command: (task) => {
    const config = join(task.directory, 'curl.config')
    const lines = readFileSync(task.list.lines, 'utf8').trimEnd().split('\n')
    const calls = lines.map((id) => `url = ${urlOf(task.url, id)}\noutput = /dev/null\n`)
    writeFileSync(config, `request = POST\nheader = "${key}"\n${calls.join('')}`)
    const pacing =
      task.limit === null
        ? ['-Z', '--parallel-max', String(concurrency)]
        : ['--rate', `${60_000 / delayMs(task)}/m`]
    const log = ['-w', '%{http_code} %{url}\\n']
    return ['curl', '-sS', '--fail', '--retry', '5', ...pacing, ...log, '-K', config]
  },
}

function newman(directory: string): Peer {
  return {
    name: 'newman',
    throttled: '--delay-request',
    unthrottled: 'one call at a time, its only way',
    resumed: null,
    command: (task) => [
      process.execPath,
      join(directory, 'node_modules/newman/bin/newman.js'),
      'run',
      join(directory, 'collection.json'),
      ...['--iteration-data', task.list.csv, '--env-var', `url=${task.url}`, '--silent'],
      ...(task.limit === null ? [] : ['--delay-request', String(delayMs(task))]),
    ],
  }
}

const collection = {
  info: { name: 'End', schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json' },
  item: [
    {
      name: 'End a conversation',
      request: {
        method: 'POST',
        header: [{ key: 'authorization', value: 'Bearer k' }],
        url: urlOf('{{url}}', '{{conversation_id}}'),
      },
      event: [
        {
          listen: 'test',
          script: { exec: ["pm.test('ended', () => pm.response.to.have.status(200))"] },
        },
      ],
    },
  ],
}

function crawlee(directory: string): Peer {
  return {
    name: '@crawlee/basic',
    throttled: 'maxRequestsPerMinute, 5 retries',
    unthrottled: `min and maxConcurrency ${concurrency}`,
    resumed: 'the queue on disk, not purged',
    command: (task) => [
      process.execPath,
      join(directory, 'crawlee.mjs'),
      task.list.lines,
      task.url,
      String(concurrency),
      task.limit === null ? 'Infinity' : String(60_000 / delayMs(task)),
    ],
    environment: (task) => ({
      CRAWLEE_STORAGE_DIR: join(task.directory, 'storage'),
      CRAWLEE_PURGE_ON_START: task.isResumed ? '0' : '1',
      CRAWLEE_LOG_LEVEL: 'ERROR',
      CRAWLEE_SYSTEM_INFO_V2: '1',
    }),
  }
}

/** No tool, but what many have: it shows what the calls alone cost. */
const script: Peer = {
  name: 'a script of 25 lines',
  throttled: 'fetch, p-limit, Bottleneck `minTime`',
  unthrottled: 'fetch, p-limit',
  resumed: null,
  command: (task) => [
    process.execPath,
    resolve('test/bench/script.mjs'),
    task.list.lines,
    task.url,
    String(concurrency),
    String(delayMs(task)),
  ],
}
