import { CronJob, type ICronJob } from 'kubernetes-models/batch/v1'
import { parse } from 'yaml'

export function cronJobOf(yaml: string): ICronJob {
  return parse(yaml)
}

export function containerOf(yaml: string) {
  return cronJobOf(yaml).spec!.jobTemplate.spec!.template.spec!.containers[0]!
}

/** Throws what Kubernetes would have against a CronJob. Its schema alone lets mistyped fields pass: nobody reads them. */
export function expectCronJob(yaml: string): void {
  const unread = new Set<string>()
  const job = new CronJob(parse(yaml))
  job.spec = watched(job.spec, 'spec', unread) as NonNullable<typeof job.spec>
  job.validate()
  if (unread.size > 0) throw new Error(`not in the schema: ${[...unread].join(', ')}`)
}

/** The same object; what is never read of it stays in the set. */
function watched(value: unknown, path: string, unread: Set<string>): unknown {
  if (typeof value !== 'object' || value === null) return value
  const within: Record<string, unknown> = Array.isArray(value) ? ([] as never) : {}
  for (const [name, one] of Object.entries(value)) {
    unread.add(`${path}/${name}`)
    within[name] = watched(one, `${path}/${name}`, unread)
  }
  return new Proxy(within, {
    get(target, name) {
      unread.delete(`${path}/${String(name)}`)
      return Reflect.get(target, name)
    },
  })
}
