import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** What a person would type, and what it finds in its environment. */
export interface Command {
  words: readonly string[]
  environment?: Record<string, string>
}

export interface Used {
  /** -1 when it was not over in time. */
  exitCode: number
  wallMs: number
  /** With that of all processes it started. */
  cpuMs: number
  /** Of its largest process; null where the system does not tell. */
  peakMb: number | null
}

const sampleMs = 20

/** Its own group, so that a kill takes all of it. */
export function start(command: Command): ChildProcess {
  return spawn(command.words[0]!, command.words.slice(1), options(command, ['ignore', 'ignore', 'ignore']))
}

/** As kill -9 of the whole group. Resolves when it is gone. */
export async function kill(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('close', resolve))
  if (child.exitCode !== null) return
  process.kill(-child.pid!, 'SIGKILL')
  await gone
}

/**
 * Runs a command to its end, or for so long. The shell's own `time` knows the CPU of all that it waited for, and
 * nothing of what was cut off.
 */
export async function measure(command: Command, mostMs = 2 ** 31 - 1): Promise<Used> {
  const timed = 'TIMEFORMAT="%U %S"; { time "$@" 2>&4 3>&-; } 4>&2 2>&3'
  const startedMs = performance.now()
  const shell = spawn(
    'bash',
    ['-c', timed, 'bash', ...command.words],
    options(command, ['ignore', 'ignore', 'pipe', 'pipe']),
  )
  let said = ''
  let times = ''
  shell.stderr!.on('data', (chunk) => {
    said = (said + chunk).slice(-2000)
  })
  shell.stdio[3]!.on('data', (chunk) => {
    times += chunk
  })
  let peakKb = 0
  const sampling = setInterval(() => {
    peakKb = Math.max(peakKb, largestKb(shell.pid!))
  }, sampleMs)
  const cuttingOff = setTimeout(() => kill(shell), mostMs)
  const exitCode = await new Promise<number>((resolve) => shell.once('close', (code) => resolve(code ?? -1)))
  clearTimeout(cuttingOff)
  clearInterval(sampling)
  if (times === '' && exitCode !== -1) throw new Error(`${command.words.join(' ')}: ${said}`)
  const [user = Number.NaN, system = Number.NaN] = times.trim().split(' ').map(Number)
  return {
    exitCode,
    wallMs: performance.now() - startedMs,
    cpuMs: (user + system) * 1000,
    peakMb: peakKb === 0 ? null : peakKb / 1024,
  }
}

/** Throws when the exit code is not one of these. */
export async function measureExpecting(command: Command, ...exitCodes: number[]): Promise<Used> {
  const used = await measure(command)
  if (!exitCodes.includes(used.exitCode)) {
    throw new Error(`exit code ${used.exitCode}: ${command.words.join(' ')}`)
  }
  return used
}

function options(command: Command, stdio: ('ignore' | 'pipe')[]) {
  return { stdio, detached: true, env: { ...process.env, ...command.environment } }
}

/** The highest peak so far of a process and its descendants, from /proc; 0 where there is none. */
function largestKb(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
    const own = Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0)
    return Math.max(
      own,
      ...(children === '' ? [] : children.split(' ').map((child) => largestKb(Number(child)))),
    )
  } catch {
    return 0
  }
}
