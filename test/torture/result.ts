import { cpus } from 'node:os'
import { allCounts, type Counts, countNames, type Played } from './counts.js'
import { invariants } from './invariants.js'

export const comesToItsEnd = 'a run comes to its end without a bug'

/** What is said of many runs, as Markdown. */
export function resultOf(total: Counts, failed: readonly Played[], beginning: string): string {
  const day = new Date().toISOString().slice(0, 10)
  const machine = `${day}, ${cpus().length} cores (${cpus()[0]?.model.trim()}), Node ${process.version}`
  const happened = allCounts.map((name) => [countNames[name], total[name]] as const)
  const files = Object.entries(total.fullAt).sort(([, one], [, other]) => other - one)
  const full = files.map(([file, times]) => [`disk full when ${file} is written`, times] as const)
  const held = [...Object.keys(invariants), comesToItsEnd].map((name) => {
    const offending = failed.filter(({ offences }) => offences.some((one) => one.startsWith(`${name}: `)))
    return [name, offending.length] as const
  })
  return [
    `${machine}, ${beginning}.\n`,
    tableOf('what happened', 'times', [...happened, ...full]),
    tableOf('what was checked after each run', 'runs in which it did not hold', held),
  ].join('\n')
}

function tableOf(what: string, times: string, rows: readonly (readonly [string, number])[]): string {
  const lines = rows.map(([name, count]) => `| ${name} | ${count.toLocaleString('en-US')} |`)
  return `| ${what} | ${times} |\n| --- | ---: |\n${lines.join('\n')}\n`
}

/** What is said of a run that was not right. */
export function complaintOf({ seed, offences }: Played): string {
  return [
    `Seed ${seed}:`,
    ...offences.map((offence) => `  ${offence}`),
    `  The same again: npm run torture -- --seed ${seed} --runs 1\n`,
  ].join('\n')
}
