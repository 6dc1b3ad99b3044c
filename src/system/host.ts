import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'

/** The version in package.json, which is two levels above the sources and three above the built files. */
export const version: string = ['../../package.json', '../../../package.json']
  .map((path) => {
    try {
      return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'))
    } catch {
      return null
    }
  })
  .find((found) => found?.name === 'ada-bulk').version

/** The name of the user who runs this process, or the number where the system knows no name for it. */
export function currentUser(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? '')
  }
}

/** Tells a process from a later one that has the same number. */
export interface ProcessIdentity {
  pid: number
  /** As the system writes it; the same number with another start is another process. */
  startedAt: string
  host: string
  /** The host's boot and the container's process namespace: where the number is unique. */
  boot: string
  namespace: string
}

export function thisProcess(): ProcessIdentity {
  return { pid: process.pid, startedAt: startOf(process.pid) ?? '', host: hostname(), ...scope() }
}

/**
 * Whether that process runs; `unknown` when it runs on another host or in another container, which cannot be seen from
 * here. A process from before this host's last boot is gone.
 */
export function isAlive(identity: ProcessIdentity): boolean | 'unknown' {
  const here = scope()
  if (identity.boot !== here.boot) return identity.host === hostname() ? false : 'unknown'
  if (identity.namespace !== here.namespace) return 'unknown'
  const startedAt = startOf(identity.pid)
  return startedAt !== null && startedAt === identity.startedAt
}

/** When a process started, as a text; null when there is no such process. Linux has it in /proc, other systems in `ps`. */
function startOf(pid: number): string | null {
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return fields[0] === 'Z' ? null : (fields[19] ?? null)
    }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || null
  } catch {
    return null
  }
}

function scope(): Pick<ProcessIdentity, 'boot' | 'namespace'> {
  if (process.platform !== 'linux') return { boot: hostname(), namespace: '' }
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  return { boot, namespace: readlinkSync('/proc/self/ns/pid') }
}

export const unknownBoot = 'unknown'

/** Names this start of the host: monotonic times of different processes compare only within one start. */
export function readBootId(): string {
  try {
    const id =
      process.platform === 'darwin'
        ? execFileSync('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' })
        : readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')
    return id.replaceAll(/[^0-9a-zA-Z]/g, '').slice(0, 12) || unknownBoot
  } catch {
    // This system has none. Then only wall time tells how old a record is.
    return unknownBoot
  }
}

/**
 * Whether SIGHUP was ignored when this process was started, by `nohup` or a parent, or it leads a session without a
 * terminal, by `setsid`. Node itself takes back what was ignored, so the signs around the process have to tell.
 * `startedBy` is what a shell left in the variable `_`.
 */
export function isHangupIgnored(startedBy = ''): boolean {
  if (/\/(nohup|setsid)$/.test(startedBy)) return true
  try {
    const ignored = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${process.ppid}/status`, 'utf8'))?.[1]
    if (ignored !== undefined && (BigInt(`0x${ignored}`) & 1n) === 1n) return true
    const stat = readFileSync('/proc/self/stat', 'utf8')
    const [, , , session, terminal] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return process.pid !== 1 && Number(session) === process.pid && terminal === '0'
  } catch {
    return false
  }
}
