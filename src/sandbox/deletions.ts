/** One reference to end users whose data is to be erased. */
export interface Identifier {
  type: string
  value: string
  variable: string | null
}

interface Disposition extends Identifier {
  disposition: 'accepted' | 'not_found' | 'invalid' | 'exceeds_limit' | 'duplicate'
  matched_chatters: number
  reason: string | null
}

interface DeletionJob {
  id: string
  reference: string | null
  dispositions: Disposition[]
  createdAtMs: number
  /** Null: it will come to its end. */
  failureReason: string | null
}

export interface DeletionsOptions {
  /** How long a job takes. Ada speaks of up to 30 days. */
  deletionMs: number
}

const dayMs = 86_400_000
/** Two identical requests with one reference within this time are one. */
const referenceMs = dayMs
/** An identifier that was submitted so short ago makes the whole job fail. */
const cooldownMs = 7 * dayMs

/** The deletion jobs of the sandbox. Any end user exists, but for those whose identifier says that it is special. */
export class Deletions {
  private readonly jobs = new Map<string, DeletionJob>()
  private readonly jobsByReference = new Map<string, DeletionJob>()
  private readonly submittedAtMs = new Map<string, number>()
  private readonly timesAccepted = new Map<string, number>()

  constructor(private readonly options: DeletionsOptions) {}

  /** How many jobs there are: a request that was sent again within a day makes no other. */
  get count(): number {
    return this.jobs.size
  }

  /** In how many jobs that did not fail this value was accepted. */
  timesErased(value: string): number {
    return this.timesAccepted.get(value.toLowerCase()) ?? 0
  }

  /** Null when the reference stands for other identifiers already. */
  submit(identifiers: readonly Identifier[], reference: string | null, nowMs: number): DeletionJob | null {
    const known = reference === null ? undefined : this.jobsByReference.get(reference)
    if (known && nowMs - known.createdAtMs < referenceMs) {
      return known.dispositions.map(keyOf).join() === identifiers.map(keyOf).join() ? known : null
    }
    const isTooSoon = identifiers.some((identifier) => {
      const atMs = this.submittedAtMs.get(keyOf(identifier))
      return atMs !== undefined && nowMs - atMs < cooldownMs
    })
    const job: DeletionJob = {
      id: `deletion-${String(this.jobs.size + 1).padStart(6, '0')}`,
      reference,
      dispositions: dispositionsOf(identifiers),
      createdAtMs: nowMs,
      failureReason: isTooSoon ? 'identifier_submitted_within_cooldown' : null,
    }
    for (const identifier of identifiers) this.submittedAtMs.set(keyOf(identifier), nowMs)
    if (!isTooSoon) {
      for (const { disposition, value } of job.dispositions) {
        if (disposition !== 'accepted') continue
        this.timesAccepted.set(value.toLowerCase(), this.timesErased(value) + 1)
      }
    }
    this.jobs.set(job.id, job)
    if (reference !== null) this.jobsByReference.set(reference, job)
    return job
  }

  get(id: string): DeletionJob | undefined {
    return this.jobs.get(id)
  }

  statusOf(job: DeletionJob, nowMs: number): 'queued' | 'in_progress' | 'completed' | 'partial' | 'failed' {
    const passedMs = nowMs - job.createdAtMs
    if (passedMs < this.options.deletionMs) {
      return passedMs < this.options.deletionMs / 3 ? 'queued' : 'in_progress'
    }
    if (job.failureReason !== null) return 'failed'
    return job.dispositions.every(({ disposition }) => disposition === 'accepted') ? 'completed' : 'partial'
  }
}

/** As the API compares them: emails and external IDs whatever their case. */
function keyOf({ type, value, variable }: Identifier): string {
  const isAnyCase = type === 'email' || type === 'external_id'
  return JSON.stringify([type, isAnyCase ? value.trim().toLowerCase() : value, variable])
}

function dispositionsOf(identifiers: readonly Identifier[]): Disposition[] {
  const seen = new Set<string>()
  return identifiers.map((identifier) => {
    const found = seen.has(keyOf(identifier)) ? duplicate : dispositionOf(identifier)
    seen.add(keyOf(identifier))
    return { ...identifier, ...found }
  })
}

type Found = Pick<Disposition, 'disposition' | 'matched_chatters' | 'reason'>

const duplicate: Found = { disposition: 'duplicate', matched_chatters: 0, reason: null }

/** `nobody@…` and IDs that end in 0404 are unknown; `everybody@…` and IDs that end in 0413 match too many. */
function dispositionOf({ type, value }: Identifier): Found {
  if (type === 'email' && !/^[^@\s]+@[^@\s]+$/.test(value)) {
    return { disposition: 'invalid', matched_chatters: 0, reason: 'Not a valid email address' }
  }
  if (/^nobody@|0404$/.test(value)) {
    const reason = type === 'email' ? null : 'No end user matches this identifier'
    return { disposition: 'not_found', matched_chatters: 0, reason }
  }
  if (/^everybody@|0413$/.test(value)) {
    return { disposition: 'exceeds_limit', matched_chatters: 5_000, reason: 'Matches too many end users' }
  }
  return { disposition: 'accepted', matched_chatters: 1, reason: null }
}
