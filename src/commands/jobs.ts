import { jobNames, loadJob } from '../runs/jobs.js'
import type { FlagsOf } from '../settings/flags.js'
import type { Command } from './command.js'

export const command: Command = {
  examples: [
    ['jobs', 'All jobs'],
    ['run end-conversations --help', 'The flags of one'],
  ],

  async run(flags: FlagsOf<'jobs'>, terminal) {
    const jobs = []
    for (const name of jobNames()) {
      const { job } = await loadJob(name)
      jobs.push({
        job: name,
        describe: job.describe,
        operation: job.operation.name,
        flags: Object.keys(job.flags ?? {}),
      })
    }
    const width = Math.max(...jobs.map(({ job }) => job.length))
    const lines = jobs.map(({ job, describe }) => `${job.padEnd(width)}  ${describe}`)
    terminal.print(flags.json ? JSON.stringify(jobs, null, 2) : lines.join('\n'))
    return 0
  },
}
