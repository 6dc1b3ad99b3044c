import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { onTestFinished } from 'vitest'
import eraseEndUsersJob from '../../jobs/erase-end-users.js'
import type { Summary } from '../../src/checkpoint/summary.js'
import { type RunJobOptions, runJob } from '../../src/runs/run-job.js'
import { sandboxKey } from '../../src/sandbox/options.js'
import { type Sandbox, type SandboxOptions, startSandbox } from '../sandbox/sandboxes.js'

export interface Scene {
  directory: string
  run: string
  sandbox: Sandbox
  write(name: string, ...lines: string[]): string
  /** Runs the job over `end-users.csv`, or goes on with the run that is there. */
  erase(more?: Partial<RunJobOptions>): Promise<Summary>
  /** `id reason` of each row of the report. */
  report(): string[]
  /** The lines of the checkpoint, parsed. */
  checkpoint(): Record<string, unknown>[]
  /** Leaves only the first lines of the checkpoint, as a crash would, and perhaps half of the next. */
  cutCheckpoint(lines: number, isTorn?: boolean): void
}

/** A sandbox whose jobs are over at once, a list of end users, and a run that erases them. */
export async function openScene(emails: readonly string[], options: SandboxOptions = {}): Promise<Scene> {
  const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-erasing-'))
  const sandbox = await startSandbox({ limits: 'none', otherLimits: 'none', deletionMs: 0, ...options })
  onTestFinished(async () => {
    await sandbox.close()
    rmSync(directory, { recursive: true, force: true })
  })
  const run = join(directory, 'run')
  const path = join(run, 'checkpoint.jsonl')
  const scene: Scene = {
    directory,
    run,
    sandbox,
    write(name, ...lines) {
      writeFileSync(join(directory, name), `${lines.join('\n')}\n`)
      return join(directory, name)
    },
    erase: (more) =>
      runJob({
        job: eraseEndUsersJob,
        name: 'erase-end-users',
        flags: { 'identifier-type': 'email' },
        input: [join(directory, 'end-users.csv')],
        baseUrl: sandbox.url,
        key: sandboxKey,
        directory: run,
        stateDirectory: join(directory, 'state'),
        settings: { limits: 'none' },
        pollForMs: 0,
        ...more,
      }),
    report: () =>
      (parse(readFileSync(join(run, 'report.csv')), { columns: true }) as Record<string, string>[]).map(
        ({ id, reason }) => `${id} ${reason}`,
      ),
    checkpoint: () =>
      readFileSync(path, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    cutCheckpoint(lines, isTorn = false) {
      const all = readFileSync(path, 'utf8').split('\n')
      const torn = isTorn ? all[lines]!.slice(0, all[lines]!.length / 2) : ''
      writeFileSync(
        path,
        all
          .slice(0, lines)
          .map((line) => `${line}\n`)
          .join('') + torn,
      )
    },
  }
  scene.write('end-users.csv', 'email', ...emails)
  return scene
}
