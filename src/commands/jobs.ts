import { jobNames, loadJob } from '../runs/jobs.js'
import type { Command } from './command.js'
import { type Flags, jsonOption } from './options.js'

export const command: Command = {
  flags: (argv) =>
    argv
      .options(jsonOption)
      .example('$0 jobs', 'All jobs')
      .example('$0 run end-conversations --help', 'The flags of one'),

  async run(flags: Flags<typeof jsonOption>, shell) {
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
    shell.print(flags.json ? JSON.stringify(jobs, null, 2) : lines.join('\n'))
    return 0
  },
}
