import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SandboxState } from '../sandbox/sandboxes.js'
import { type Evidence, type Executed, isOurs } from './evidence.js'
import type { Counts } from './result.js'
import { csvOf, type Row } from './rows.js'
import type { World } from './world.js'

export const tortureKey = 'k3y-0f-the-torture-chamber'

/**
 * Plays the executions of a run over its list, which may be edited between two of them, until one has finished it:
 * first those that were planned, then up to `calmMax` in which nothing happens.
 */
export async function playExecutions<Execution extends { rows: Row[] | null }>(
  home: string,
  world: Pick<World, 'rows' | 'held'>,
  counts: Counts,
  planned: readonly Execution[],
  calm: Execution,
  calmMax: number,
  play: (execution: Execution, number: number) => Promise<Executed>,
  isDone: () => boolean = () => false,
): Promise<Pick<Evidence, 'rows' | 'everListed' | 'executions'>> {
  let rows: readonly Row[] = world.rows
  const everListed = new Set(rows)
  const executions: Executed[] = []
  const write = (name: string, ids: readonly Row[]) => writeFileSync(join(home, name), csvOf(ids))
  write('stale.csv', rows)
  write('hold.csv', world.held)
  for (let number = 0; number < planned.length + calmMax; number++) {
    const execution = planned[number] ?? calm
    if (execution.rows !== null && !isDone()) {
      rows = execution.rows
      for (const id of rows) everListed.add(id)
      write('stale.csv', rows)
      counts.editedInputs += 1
    }
    const executed = await play(execution, number)
    executions.push(executed)
    counts.executions += 1
    if (isFinished(executed)) break
  }
  return { rows, everListed, executions }
}

/** A finished run is not resumed, whatever its input is then. */
export function isFinished({ exitCode, stoppedBecause }: Executed): boolean {
  return (exitCode === 0 || exitCode === 3) && stoppedBecause === null
}

/** Counts what the server knows of our calls. */
export function countCalls(counts: Counts, state: SandboxState, { api }: World): void {
  const calls = state.calls.filter(isOurs)
  const firstMs = Math.min(...state.calls.map(({ atMs }) => atMs))
  const isInOutage = ({ atMs }: { atMs: number }) =>
    api.outage != null &&
    atMs - firstMs >= api.outage.afterMs &&
    atMs - firstMs < api.outage.afterMs + api.outage.forMs
  counts.calls += calls.length
  counts.rateLimited += calls.filter(({ status }) => status === 429).length
  counts.serverErrors += calls.filter(({ status }) => status >= 500).length
  counts.outages += calls.some(isInOutage) ? 1 : 0
  counts.lostAnswers += state.answersLost
  counts.halfAnswers += state.answersHalved
  counts.resets += Math.max(0, calls.filter(({ status }) => status === 0).length - state.answersLost)
}
