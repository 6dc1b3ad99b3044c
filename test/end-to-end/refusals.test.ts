import { chmodSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type FakeApi, notFound, startFakeApi } from './fake-api.js'
import {
  cannotTestHere,
  cliPath,
  conversationIds,
  csvOf,
  expectRefusal,
  openPlace,
  type Place,
} from './harness.js'

interface Scene {
  place: Place
  api: FakeApi
  /** A run that would work, and then the flags. */
  run: string[]
}

async function scene(): Promise<Scene> {
  const place = openPlace()
  place.write('stale.csv', csvOf(conversationIds(3)))
  const api = await startFakeApi()
  return { place, api, run: ['run', 'end-conversations', '--base-url', api.url, '--api-limit', 'none'] }
}

/** Nothing was sent, and nothing stays behind. */
function expectNothing({ place, api }: Scene): void {
  expect(api.calls).toEqual([])
  expect(existsSync(place.runs) ? readdirSync(place.runs) : []).toEqual([])
}

test.concurrent('without a terminal and without --yes a run refuses to start', async () => {
  const stage = await scene()
  const { place, run } = stage
  expectRefusal(await place.run([...run, '-i', 'stale.csv']), 'no terminal', '--yes')
  // Not even if somebody sends the number.
  expectRefusal(await place.run([...run, '-i', 'stale.csv'], { stdin: '3\n' }), '--yes')
  // What is missing comes first: nobody says --yes to what cannot be.
  expectRefusal(await place.run(run), 'no input', '--input')
  expectRefusal(await place.run(['run', 'end-conversations', '-i', 'stale.csv']), 'no instance')
  expectNothing(stage)
})

test.concurrent('a command without its job or its run says what to name, and where to find it', async () => {
  const { place } = await scene()
  for (const command of ['run', 'plan', 'schedule'])
    expectRefusal(await place.run([command]), 'Name a job', '`ada-bulk jobs`')
  for (const command of ['retry', 'verify', 'pause'])
    expectRefusal(await place.run([command]), 'Name a run, or latest', '`ada-bulk status`')
})

test.concurrent('a retry without a terminal refuses too; a resume only if it would call more than was agreed to', async () => {
  const { place, api, run } = await scene()
  api.script = () => notFound
  await place.run([...run, '-i', 'stale.csv', '--yes', '--max-items', '1'])
  const calls = api.calls.length
  expectRefusal(await place.run(['retry', place.onlyRun()]), '--yes')
  place.write('stale.csv', csvOf(conversationIds(4)))
  expectRefusal(await place.run(['resume', '--accept-changed-input']), '--yes')
  expect(api.calls).toHaveLength(calls)
})

describe('one sentence, exit 2, nothing sent', () => {
  const cases: {
    what: string
    args: string[]
    says: (string | RegExp)[]
    environment?: Record<string, undefined>
  }[] = [
    {
      what: 'a missing key',
      args: [],
      environment: { ADA_API_KEY: undefined },
      says: ['ADA_API_KEY', '--api-key-file'],
    },
    {
      what: 'a key file that is not there',
      args: ['--api-key-file', 'nowhere'],
      says: ['nowhere', 'ENOENT'],
    },
    { what: 'an unknown flag', args: ['--concurency', '3'], says: ['concurency'] },
    { what: 'the key as a flag', args: ['--api-key', 'x'], says: ['api-key'] },
    { what: 'a limit that is none', args: ['--api-limit', 'fast'], says: ['--api-limit fast', '30/s'] },
    { what: 'a time-out that is none', args: ['--timeout', 'soon'], says: ['--timeout soon', '30s'] },
    { what: 'an unknown log level', args: ['--log-level', 'loud'], says: ['loud', 'trace'] },
    { what: 'an unknown format', args: ['--format', 'xml'], says: ['xml', 'csv'] },
    { what: 'a flag without its value', args: ['--timeout'], says: ['timeout'] },
    {
      what: 'a flag given twice',
      args: ['--timeout', '1s', '--timeout', '2s'],
      says: ['--timeout is given twice'],
    },
    { what: 'two instances', args: ['--handle', 'acme'], says: ['--base-url and --handle'] },
    { what: 'a file that is not there', args: ['-i', 'nowhere.csv'], says: ['nowhere.csv'] },
    { what: 'a directory', args: ['-i', 'directory'], says: ['directory'] },
    { what: 'a binary file', args: ['-i', 'binary.csv'], says: ['binary.csv'] },
    { what: 'an empty file', args: ['-i', 'empty'], says: ['empty'] },
    { what: 'a file with a quote that never ends', args: ['-i', 'quote.csv'], says: ['quote.csv', /quote/] },
    { what: 'no such column', args: ['--id-column', 'conv'], says: ['conv', 'conversation_id'] },
    {
      what: 'no column of IDs',
      args: ['-i', 'columns.csv'],
      says: ['columns.csv', 'ticket', 'subject', '--id-column'],
    },
    { what: 'a hold list that is not there', args: ['--hold', 'nowhere.csv'], says: ['nowhere.csv'] },
    {
      what: 'a hold list with a row that cannot be read',
      args: ['--hold', 'badhold.csv'],
      says: ['badhold.csv', 'line 3'],
    },
  ]

  test.concurrent.for(cases)('$what', async ({ args, says, environment = {} }) => {
    const stage = await scene()
    const { place } = stage
    mkdirSync(join(place.directory, 'directory'))
    place.write('empty', '')
    place.write(
      'binary.csv',
      Uint8Array.from({ length: 4096 }, (_, index) => (index * 37) % 256),
    )
    place.write(
      'quote.csv',
      `conversation_id,subject\n${'6a7123e53e7856881e547e7e,fine\n'.repeat(3)}6a6fbf22047408a2b5355d9c,"never ends\n`,
    )
    place.write('columns.csv', 'ticket,subject\n1,a\n2,b\n')
    place.write('badhold.csv', 'conversation_id,why\n6a7123e53e7856881e547e7e,vip\n,vip\n')
    const input = args.includes('-i') ? [] : ['-i', 'stale.csv']
    const run = args.includes('--api-limit') ? stage.run.slice(0, -2) : stage.run
    const ended = await place.run([...run, ...input, '--yes', ...args], { environment })
    expectRefusal(ended, ...says)
    expect(
      ended.stderr
        .trim()
        .split('\n')
        .filter((line) => line.startsWith('ada-bulk: ')),
    ).toHaveLength(1)
    expectNothing(stage)
  })

  test.concurrent.for([
    { what: 'no command', args: [], says: ['command'] },
    {
      what: 'an unknown command',
      args: ['rum', 'end-conversations'],
      says: [/^ada-bulk: No command is called rum\. Did you mean run\? See `ada-bulk --help`\.\n$/],
    },
    { what: 'a command like no other', args: ['xyzzy'], says: [/called xyzzy\. See/] },
    {
      what: 'a mistyped flag, named once',
      args: ['run', 'end-conversations', '--max-itmes', '3'],
      says: [
        /^ada-bulk: Unknown flag --max-itmes\. Did you mean --max-items\? See `ada-bulk run --help`\.\n$/,
      ],
    },
    {
      what: "a mistyped flag of the job's",
      args: ['run', 'end-conversations', '--laguage=fr'],
      says: [/Unknown flag --laguage\. Did you mean --language\?/],
    },
    {
      what: 'a mistyped no',
      args: ['run', 'cleanup', '--no-chek-first'],
      says: [/Unknown flag --no-chek-first\. Did you mean --no-check-first\?/],
    },
    { what: 'an unknown letter', args: ['run', 'cleanup', '-yq'], says: [/Unknown flag -yq\. See/] },
    { what: 'a mistyped flag alone', args: ['--hlp'], says: [/Unknown flag --hlp\. Did you mean --help\?/] },
    {
      what: 'a word too many',
      args: ['status', 'tonight', 'tomorrow'],
      says: [/A word too many: tomorrow\./],
    },
    {
      what: 'a flag without its value',
      args: ['plan', 'cleanup', '--hours'],
      says: [/: --hours needs a value\./],
    },
    { what: 'a missing flag', args: ['export'], says: [/: --output is missing\./] },
    { what: 'no job', args: ['run'], says: ['missing|argument|job'] },
    {
      what: 'an unknown job',
      args: ['run', 'end-conversation', '--yes'],
      says: ['did you mean end-conversations'],
    },
    {
      what: 'a job like no other',
      args: ['plan', 'xyzzy'],
      says: ['no job called xyzzy', 'end-conversations'],
    },
    { what: 'no input', args: ['run', 'end-conversations', '--yes', '--sandbox'], says: ['--input'] },
    {
      what: 'no instance',
      args: ['run', 'end-conversations', '--yes', '-i', 'x'],
      says: ['--base-url', '--sandbox'],
    },
    {
      what: 'plain http to elsewhere',
      args: ['run', 'end-conversations', '--yes', '-i', 'x', '--base-url', 'http://acme.ada.support'],
      says: ['https'],
    },
    {
      what: 'an address with a password',
      args: [
        'run',
        'end-conversations',
        '--yes',
        '-i',
        'x',
        '--base-url',
        'https://u:secret@acme.ada.support',
      ],
      says: ['ADA_API_KEY'],
    },
    { what: 'an unknown run', args: ['resume', 'tonight'], says: ['no run called tonight'] },
    {
      what: 'a retry of an unknown run',
      args: ['retry', 'tonight', '--yes'],
      says: ['no run called tonight'],
    },
    { what: 'nothing to resume', args: ['resume'], says: ['no unfinished run'] },
    { what: 'an unknown report format', args: ['report', 'x', '--format', 'pdf'], says: ['pdf', 'csv'] },
    { what: 'a port that is none', args: ['sandbox', '--port', 'http'], says: ['--port http'] },
  ])('$what', async ({ args, says }) => {
    const place = openPlace()
    const ended = await place.run(args)
    expectRefusal(ended, ...says.map((word) => new RegExp(word)))
    expect(ended.stderr).not.toContain('secret')
  })

  test.concurrent('an env file that is not there', async () => {
    const stage = await scene()
    const { place, run } = stage
    chmodSync(cliPath, 0o755)
    // As it is started from `bin`: Node 20 itself looks for --env-file among all arguments, behind the script's too.
    const ended = await place.run([...run, '--yes', '-i', 'stale.csv', '--env-file', 'nowhere'], {
      through: ([, ...command]) => command,
    })
    expectRefusal(ended, 'nowhere', 'ENOENT')
    expectNothing(stage)
  })

  test.concurrent('stdin twice, or stdin that is empty', async () => {
    const stage = await scene()
    const { place, run } = stage
    expectRefusal(await place.run([...run, '--yes', '-i', '-', '-i', '-']), '--input - is given twice')
    expectRefusal(await place.run([...run, '--yes', '-i', '-']), 'empty')
    expectNothing(stage)
  })
})

/** A terminal, as util-linux's `script` makes one. */
const isScriptHere = process.platform === 'linux' && existsSync('/usr/bin/script')

test.skipIf(isScriptHere)('a terminal is needed', () =>
  cannotTestHere('questions on a terminal', 'Install util-linux, on Linux.'),
)

describe.runIf(isScriptHere)('on a terminal', () => {
  const throughTerminal = (command: string[]) => [
    '/usr/bin/script',
    '--quiet',
    '--return',
    '--command',
    command.map((word) => `'${word}'`).join(' '),
    '/dev/null',
  ]
  const ask = async (answer: string) => {
    const stage = await scene()
    const { place, run } = stage
    const running = place.start([...run, '-i', 'stale.csv'], { stdin: 'open', through: throughTerminal })
    await running.says(/This will end 3 conversations on http/)
    await running.says(/Type 3 to go on, anything else to leave: /)
    running.child.stdin!.write(answer)
    return { ...stage, running }
  }

  test.concurrent.for([
    { what: 'Ctrl-D', answer: '\u0004', code: 2 },
    { what: 'Ctrl-C', answer: '\u0003', code: 130 },
  ])('$what sends nothing', async ({ answer, code }) => {
    const stage = await ask(answer)
    expect((await stage.running.exited).code).toBe(code)
    expectNothing(stage)
  })
})
