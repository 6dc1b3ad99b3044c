import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

export const unknownBoot = 'unknown'

/** Names this start of the host: monotonic times of different processes compare only within it. */
export function readBootId(): string {
  try {
    const id =
      process.platform === 'darwin'
        ? execFileSync('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' })
        : readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')
    return id.replaceAll(/[^0-9a-zA-Z]/g, '').slice(0, 12) || unknownBoot
  } catch {
    // No such thing on this system. Then only wall time tells how old a record is.
    return unknownBoot
  }
}
