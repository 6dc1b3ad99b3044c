import type { KnownCommand } from './command.js'

/** A command is loaded when it is typed. */
export const commands: readonly KnownCommand[] = [
  ['run <job>', 'Run a job over a list of IDs', () => import('./run.js')],
  ['plan <job>', 'Say what a run would do, and call nothing', () => import('./plan.js')],
  ['resume [run]', 'Resume a stopped run, by default the latest', () => import('./resume.js')],
  ['retry <run>', 'Run again what failed or is unknown in a run', () => import('./retry.js')],
  ['status [run]', 'Show the progress of a run, or list the runs', () => import('./status.js')],
  [
    'pause <run>',
    'Pause a run in any process',
    async () => ({ command: (await import('./control.js')).pause }),
  ],
  [
    'continue <run>',
    'Continue a paused run',
    async () => ({ command: (await import('./control.js')).continueRun }),
  ],
  [
    'throttle <run>',
    'Change the pace of a run',
    async () => ({ command: (await import('./control.js')).throttle }),
  ],
  ['report <run>', "Write a run's report again", () => import('./report.js')],
  ['verify <run>', "Check that a run's record is whole and unaltered", () => import('./verify.js')],
  ['prune', 'Remove old runs', () => import('./prune.js')],
  ['export', 'Download Data Export records to a file', () => import('./export.js')],
  ['schedule <job>', 'Print crontab, systemd or Kubernetes text for a run', () => import('./schedule.js')],
  ['jobs', 'List the jobs', () => import('./jobs.js')],
  ['sandbox', 'Start a local Ada to practise on', () => import('./sandbox.js')],
  ['completion', 'Print what completes commands in your shell', () => import('./completion.js')],
  ['doctor', 'Check key, address, clock and disk', () => import('./doctor.js')],
]
