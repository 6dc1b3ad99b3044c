import { type InstancesFlags, overInstances } from './over-instances.js'
import type { Shell } from './shell.js'

/** Plans a job over several instances, and prints one plan after the other. */
export async function planInstances<F extends InstancesFlags>(
  flags: F,
  shell: Shell,
  planOne: (flags: F, shell: Shell) => Promise<number>,
): Promise<number> {
  const ended = await overInstances(flags, shell, planOne)
  const codes = new Set(ended.map((one) => one.exitCode))
  const exitCode = [1, 2, 4, 130, 75].find((code) => codes.has(code)) ?? 0
  if (flags.json) {
    const instances = ended.map(({ row, exitCode, error, printed }) => ({
      instance: row.origin,
      exitCode,
      because: error,
      plan: error === null ? JSON.parse(printed) : null,
    }))
    shell.print(JSON.stringify({ exitCode, instances }, null, 2))
  } else
    for (const { row, error, printed } of ended)
      shell.print(error === null ? printed : `${row.origin}: ${error}`)
  return exitCode
}
