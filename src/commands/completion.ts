import yargs from 'yargs'
import type { Command } from './command.js'

/** Prints the script that asks for completions; `complete.ts` answers it. */
export const command: Command = {
  flags: (argv) =>
    argv
      .example('$0 completion >> ~/.bashrc', 'For every new bash')
      .example('$0 completion >> ~/.zshrc', 'For every new zsh'),

  async run() {
    // yargs has one for the shell that SHELL names, and prints it.
    yargs().scriptName('ada-bulk').showCompletionScript()
    return 0
  },
}
