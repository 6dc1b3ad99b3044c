import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openDesk } from './in-process.js'
import { containerOf, expectCronJob } from './schedule/cron-job.js'
import { expectUnits, isSystemdHere } from './schedule/systemd-analyze.js'

vi.mock('../../src/system/host.js', async (original) => ({
  ...(await original<object>()),
  currentUser: () => 'ada-bulk',
}))

const zone = process.env.TZ
beforeEach(() => {
  process.env.TZ = 'Europe/Berlin'
})
afterEach(() => {
  if (zone === undefined) delete process.env.TZ
  else process.env.TZ = zone
})

const cleanup = ['schedule', 'cleanup', '--handle', 'acme']
const lastLine = (text: string) => text.trimEnd().split('\n').at(-1)!

describe('what is printed', () => {
  test('is the command line of a run, with whole paths, in any directory', async () => {
    const desk = openDesk()
    const said = await desk.type(
      'schedule',
      'end-conversations',
      '-i',
      'stale.csv',
      '--input=fresh.csv',
      '--hold',
      'hold.csv',
      '--base-url',
      'acme.ada.support/api/v2',
      '--api-key-file',
      'key',
      '--language=-x',
      '--no-check-first',
      '--limit',
      '100/m',
      '--limit',
      '5/s',
    )
    expect(said.code).toBe(0)
    expect(lastLine(said.stdout)).toMatch(
      /^0 3 \* \* \* ADA_BULK_STATE=\S+ \S+ -- \S+cli\.js run end-conversations /,
    )
    const words = lastLine(said.stdout).split(/ run end-conversations | \|\| /)[1]
    expect(words?.split(/ (?=--)/)).toEqual([
      '--language=-x',
      `--input ${resolve('stale.csv')}`,
      `--input ${resolve('fresh.csv')}`,
      `--hold ${resolve('hold.csv')}`,
      '--base-url https://acme.ada.support',
      `--api-key-file ${resolve('key')}`,
      '--limit 100/m',
      '--limit 5/s',
      '--yes',
      `--runs-dir ${desk.environment.ADA_BULK_RUNS}`,
      '--no-check-first',
      '--continue',
      '--quiet',
    ])
    expect(said.stderr).toContain('--input stale.csv: is not there yet.')
    expect(said.stderr).toContain('--accept-changed-input')
  })

  test('never holds the key, and says where to put it', async () => {
    const desk = openDesk()
    desk.environment.ADA_BULK_STATE = '/srv/state'
    desk.environment.ADA_BASE_URL = 'https://acme.ada.support/'
    for (const as of ['crontab', 'systemd', 'kubernetes']) {
      const said = await desk.type('schedule', 'cleanup', '--as', as)
      expect(said).toMatchObject({ code: 0, stderr: '' })
      expect(said.stdout).not.toContain(desk.environment.ADA_API_KEY)
      expect(said.stdout).toContain(as === 'kubernetes' ? 'kubectl create secret' : '/etc/ada-bulk/env')
      expect(said.stdout).toMatch(/--base-url\W+https:\/\/acme\.ada\.support\W/)
      expect(said.stdout).toContain(as === 'kubernetes' ? '/var/lib/ada-bulk/state' : '/srv/state')
    }
  })

  test('brings every key that is needed: of each instance, and of the pseudonyms', async () => {
    const desk = openDesk()
    const file = desk.write(
      'instances.csv',
      'base_url,key_variable,input\nacme.ada.support,KEY_ACME,a.csv\numbrella.ada.support,KEY_UMBRELLA,u.csv\n',
    )
    const words = ['schedule', 'end-conversations', '--instances', file, '--pseudonymise', '--as']
    const names = ['KEY_ACME', 'KEY_UMBRELLA', 'ADA_BULK_PSEUDONYM_KEY']
    for (const as of ['crontab', 'systemd']) {
      const { stdout } = await desk.type(...words, as)
      expect(stdout).toContain(`only${as === 'systemd' ? ' (0600)' : ''}, ${names.join('=… ')}=…\n`)
    }
    const { stdout } = await desk.type(...words, 'kubernetes')
    expectCronJob(stdout)
    expect(containerOf(stdout).env?.map(({ name }) => name)).toEqual(['ADA_BULK_STATE', 'TZ', ...names])
    expect(stdout).toContain(`ada-bulk${names.map((name) => ` --from-file=${name}=FILE`).join('')}\n`)
  })

  test('that erases needs --yes-erase, as a start without it would be refused every night', async () => {
    const desk = openDesk()
    const words = 'schedule compliance-sweep -i all.csv --created-before 60d --handle acme --erase'.split(' ')
    expect(await desk.type(...words)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--yes-erase'),
    })
    const said = await desk.type(...words, '--yes-erase')
    expect(lastLine(said.stdout)).toMatch(/ --erase .*--yes-erase /)
  })

  test('takes instance and state from the file of variables, and leaves the key in it', async () => {
    const desk = openDesk()
    desk.environment.ADA_BULK_STATE = ''
    const file = desk.write(
      'env',
      'ADA_API_KEY=s3cret\nADA_BASE_URL=acme.ada.support\nADA_BULK_STATE=/srv/state\n',
    )
    const said = await desk.type('schedule', 'cleanup', '--env-file', file)
    expect(said.stdout).not.toContain('s3cret')
    expect(lastLine(said.stdout)).toContain(`ADA_BULK_STATE=/srv/state `)
    expect(lastLine(said.stdout)).toContain(`--base-url https://acme.ada.support --env-file ${file} `)
  })

  test('of Kubernetes has paths on the volume, and the key from the Secret only', async () => {
    const desk = openDesk()
    const said = await desk.type(
      ...'schedule ./samples/close-french.ts -i lists/stale.csv --hold /mnt/hold.csv --handle acme'.split(
        ' ',
      ),
      ...'--as kubernetes --api-key-file key --image registry.acme.example/ada-bulk:7 --secret key'.split(
        ' ',
      ),
    )
    expectCronJob(said.stdout)
    const { args, image } = containerOf(said.stdout)
    expect(image).toBe('registry.acme.example/ada-bulk:7')
    expect(args?.join(' ')).toBe(
      'run /var/lib/ada-bulk/samples/close-french.ts --input /var/lib/ada-bulk/lists/stale.csv --hold /mnt/hold.csv --handle acme --yes --runs-dir /var/lib/ada-bulk/runs --continue',
    )
    expect(said.stdout).toMatch(/secretKeyRef:\s+name: key\s+key: ADA_API_KEY/)
  })

  test('goes into files when a directory is named, and over no file that is there', async () => {
    const desk = openDesk()
    const directory = desk.path('units')
    const words = [...cleanup, '--as', 'systemd', '--name', 'nightly', '--output', directory]
    expect(await desk.type(...words)).toMatchObject({
      code: 0,
      stdout: `${join(directory, 'nightly.service')}\n${join(directory, 'nightly.timer')}\n`,
    })
    expect(readdirSync(directory)).toEqual(['nightly.service', 'nightly.timer'])
    expect(await desk.type(...words)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is there already'),
    })
  })
})

test.each([
  { what: 'an unknown job', words: ['schedule', 'clean', '--handle', 'acme'], says: 'no job called clean' },
  { what: 'stdin', words: ['schedule', 'end-conversations', '--input=-', '--sandbox'], says: '--input -' },
  { what: 'no input', words: ['schedule', 'end-conversations', '--sandbox'], says: '--input' },
  { what: 'no instance', words: ['schedule', 'cleanup'], says: 'no instance' },
  { what: 'a wrong setting', words: [...cleanup, '--limit', 'fast'], says: '--limit fast' },
  { what: 'a wrong flag of the job', words: [...cleanup, '--idle', 'long'], says: '--idle long' },
  { what: 'a wrong span', words: [...cleanup, '--updated-since', 'soon'], says: '--updated-since soon' },
  { what: 'a wrong level', words: [...cleanup, '--log-level', 'loud'], says: '--log-level loud' },
  { what: 'a wrong time', words: [...cleanup, '--at', '25:00'], says: '--at 25:00' },
  { what: 'a name that is none', words: [...cleanup, '--name', 'Every Night'], says: '--name Every Night' },
  { what: 'an image for cron', words: [...cleanup, '--image', 'ada-bulk:1'], says: '--image goes with' },
  { what: 'a line break', words: [...cleanup, '--id-column', 'a\nb'], says: 'line break' },
  {
    what: 'a file of variables that is not there',
    words: ['schedule', 'cleanup', '--env-file', 'x'],
    says: 'ENOENT',
  },
])('$what is refused, and nothing printed', async ({ words, says }) => {
  const said = await openDesk().type(...words)
  expect(said).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(says) })
})

describe('the samples', () => {
  const samples = resolve('samples')
  const sample = (ending: string) => readFileSync(join(samples, `ada-bulk-cleanup.${ending}`), 'utf8')

  test.each(['crontab', 'systemd', 'kubernetes'])('of %s are what is printed', async (as) => {
    const desk = openDesk()
    desk.environment.ADA_BULK_STATE = '/var/lib/ada-bulk/state'
    desk.environment.ADA_BULK_RUNS = '/var/lib/ada-bulk/runs'
    const directory = desk.path('printed')
    mkdirSync(directory)
    await desk.type(...cleanup, '--idle', '14d', '--max-duration', '6h', '--as', as, '--output', directory)
    for (const name of readdirSync(directory)) {
      const printed = readFileSync(join(directory, name), 'utf8')
      const generic = printed
        .replaceAll(/[^\s=]+ -- \S+cli\.js(?= run )/g, '/usr/bin/node -- /usr/local/bin/ada-bulk')
        .replace(/(image: "ada-bulk:).*"/, '$11"')
      expect(readFileSync(join(samples, name), 'utf8')).toBe(generic)
    }
  })

  test('fit the schema of Kubernetes', () => expectCronJob(sample('yaml')))

  test.runIf(isSystemdHere)('pass systemd', () => {
    const service = sample('service').replace('/usr/bin/node', process.execPath)
    expectUnits([
      { name: 'ada-bulk-cleanup.service', text: service },
      { name: 'ada-bulk-cleanup.timer', text: sample('timer') },
    ])
  })
})
