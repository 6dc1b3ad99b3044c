import fc from 'fast-check'

/**
 * Records and rules of which a plain loop can tell what is to become of them: every value comes with its meaning, so
 * nothing has to be read here. The moment is 22 November 2026, noon (UTC).
 */
export interface Plain {
  id: string
  /** Days since the last update; null when the record does not say. */
  idleDays: number | null
  language: string | null
  isEscalated: boolean | null
  plan: string | null
  /** As the record writes them. */
  fields: Record<string, string>
}

export interface Rules {
  flags: Record<string, string>
  hold: string[]
  idleDays: number | undefined
  language: string | undefined
  isEscalated: boolean | undefined
  plan: string | undefined
}

const meant = <T>(...values: [T, string][]) => fc.constantFrom(...values)
const record = fc
  .record({
    id: fc.oneof(
      { weight: 9, arbitrary: fc.nat(25).map((number) => `66f2a91c4be07d3f5c1e00${number + 10}`) },
      { weight: 1, arbitrary: fc.constantFrom('', 'a/b', '..') },
    ),
    updated: meant<number | null>(
      [0, '2026-11-22T12:00:00.000001'],
      [14, '2026-11-08T12:00:00'],
      [13.99, '2026-11-08T12:30:00.5'],
      [300, '2026-01-26T14:00:00+02:00'],
      [8, '1794657600'],
      [null, ''],
      [null, 'last week'],
      [null, '1970-01-01T00:00:00'],
    ),
    language: meant<string | null>(['fr', 'fr'], ['fr', 'FR'], ['de', ' de'], ['en', 'en'], [null, '']),
    isEscalated: meant<boolean | null>(
      [true, 'true'],
      [true, 'Yes'],
      [false, 'FALSE'],
      [false, '0'],
      [null, ''],
      [null, 'maybe'],
    ),
    plan: meant<string | null>(['gold', 'gold'], ['free', 'free'], [null, '']),
  })
  .map(
    ({ id, updated, language, isEscalated, plan }): Plain => ({
      id,
      idleDays: updated[0],
      language: language[0],
      isEscalated: isEscalated[0],
      plan: plan[0],
      fields: {
        date_updated: updated[1],
        language: language[1],
        is_escalated: isEscalated[1],
        'variables.plan': plan[1],
      },
    }),
  )

export const plainRecords = (maxLength = 60) => fc.array(record, { minLength: 1, maxLength, size: 'max' })

const maybe = <T>(...values: T[]) => fc.option(fc.constantFrom(...values), { nil: undefined, freq: 1 })
export const plainRules: fc.Arbitrary<Rules> = fc
  .record({
    idleDays: maybe(7, 14, 30),
    language: maybe('fr', 'de'),
    isEscalated: maybe(true, false),
    plan: maybe('gold'),
    hold: fc.uniqueArray(
      fc.nat(25).map((number) => `66f2a91c4be07d3f5c1e00${number + 10}`),
      { maxLength: 5 },
    ),
  })
  .map((rules) => {
    const { idleDays, language, isEscalated, plan } = rules
    return {
      ...rules,
      flags: {
        ...(idleDays === undefined ? {} : { idle: `${idleDays}d` }),
        ...(language === undefined ? {} : { language }),
        ...(isEscalated === undefined ? {} : { escalated: isEscalated ? 'yes' : 'no' }),
        ...(plan === undefined ? {} : { variable: `plan=${plan}` }),
      },
    }
  })

/** The records as a file. */
export function textOf(records: readonly Plain[], kind: 'json' | 'csv'): string {
  if (kind === 'json') {
    const nested = ({ id, fields: { 'variables.plan': plan, ...fields } }: Plain) => ({
      _id: id,
      ...fields,
      variables: { plan },
    })
    return records.map((plain) => `${JSON.stringify(nested(plain))}\n`).join('')
  }
  const names = ['date_updated', 'language', 'is_escalated', 'variables.plan']
  const row = ({ id, fields }: Plain) =>
    [id, ...names.map((name) => fields[name])].map((cell) => `"${cell}"`).join(',')
  return `"_id",${names.join(',')}\n${records.map((plain) => `${row(plain)}\n`).join('')}`
}

/** What is to become of the records: the IDs to call, and how many are not, by reason. */
export function plainJudge(
  records: readonly Plain[],
  rules: Rules,
): { calls: string[]; reasons: Record<string, number> } {
  const seen: string[] = []
  const calls: string[] = []
  const reasons: Record<string, number> = {}
  for (const plain of records) {
    const reason = plainReason(plain, rules, seen)
    if (reason === null) calls.push(plain.id)
    else reasons[reason] = (reasons[reason] ?? 0) + 1
    seen.push(plain.id)
  }
  return { calls, reasons }
}

function plainReason(plain: Plain, rules: Rules, seen: readonly string[]): string | null {
  if (plain.id === '') return 'empty_id'
  if (plain.id === 'a/b' || plain.id === '..') return 'bad_id'
  if (seen.includes(plain.id)) return 'duplicate'
  if (rules.hold.includes(plain.id)) return 'on_hold'
  if (rules.idleDays !== undefined) {
    if (plain.idleDays === null) return 'bad_row'
    if (plain.idleDays < rules.idleDays) return 'not_stale'
  }
  if (rules.language !== undefined) {
    if (plain.language === null) return 'bad_row'
    if (plain.language !== rules.language) return 'other_language'
  }
  if (rules.isEscalated !== undefined) {
    if (plain.isEscalated === null) return 'bad_row'
    if (plain.isEscalated !== rules.isEscalated) return rules.isEscalated ? 'not_escalated' : 'escalated'
  }
  if (rules.plan !== undefined) {
    if (plain.plan === null) return 'bad_row'
    if (plain.plan !== rules.plan) return 'other_variable'
  }
  return null
}
