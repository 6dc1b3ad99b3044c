import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ada, startFakeApi, unauthorized } from './fake-api.js'
import { conversationIds, csvOf, key, openPlace, summaryOf } from './harness.js'

const args = 'run end-conversations --yes --api-limit none --instances instances.csv'.split(' ')

describe('one job over several instances', () => {
  test.concurrent('runs on each with its own key, input, checkpoint and report, and says all in one summary', async () => {
    const place = openPlace()
    const [acme, umbrella] = [await startFakeApi(), await startFakeApi()]
    const ids = conversationIds(5)
    place.write('acme.csv', csvOf(ids.slice(0, 2)))
    place.write('umbrella.csv', csvOf(ids.slice(2)))
    place.write(
      'instances.csv',
      `base_url,key_variable,input\n${acme.url},KEY_ACME,acme.csv\n${umbrella.url},KEY_UMBRELLA,umbrella.csv\n`,
    )
    const environment = { ADA_API_KEY: undefined, KEY_ACME: key, KEY_UMBRELLA: key }
    const { code, stdout, stderr } = await place.run([...args, '--json'], { environment })
    expect(code, stderr).toBe(0)
    const { exitCode, instances } = JSON.parse(stdout)
    expect(exitCode).toBe(0)
    expect(instances.map((one: { summary: { totals: object } }) => one.summary.totals)).toMatchObject([
      { succeeded: 2, left: 0 },
      { succeeded: 3, left: 0 },
    ])
    expect(acme.calls.map(({ id }) => id).sort()).toEqual(ids.slice(0, 2).sort())
    expect(umbrella.calls.map(({ id }) => id).sort()).toEqual(ids.slice(2).sort())
    // A directory for each, which tells the instance.
    const ports = [acme, umbrella].map(({ url }) => new URL(url).port)
    const names = readdirSync(place.runs)
    expect(names).toHaveLength(2)
    for (const port of ports) expect(names.filter((name) => name.includes(port))).toHaveLength(1)
    for (const name of names) expect(readdirSync(join(place.runs, name))).toContain('report.csv')
    expect(stderr + stdout).not.toContain(key)
  })

  test.concurrent('what fails on one does not stop the others', async () => {
    const place = openPlace()
    const [refusing, fine] = [await startFakeApi(ada, 'another key'), await startFakeApi()]
    place.write('ids.csv', csvOf(conversationIds(3)))
    place.write(
      'instances.json',
      JSON.stringify([
        { base_url: refusing.url, key_variable: 'KEY', input: 'ids.csv' },
        { base_url: fine.url, key_variable: 'KEY', input: ['ids.csv'] },
      ]),
    )
    const { code, stdout } = await place.run([...args.slice(0, -1), 'instances.json'], {
      environment: { KEY: key },
    })
    expect(code).toBe(4)
    expect(stdout).toMatch(/^2 instances: 3 succeeded, 0 failed, 3 left\.$/m)
    expect(stdout).toMatch(/exit code 4, 0 of 3 settled.*401/)
    expect(stdout).toMatch(/exit code 0, 3 of 3 settled/)
    expect(fine.calls).toHaveLength(3)
  })

  test.concurrent('each that stopped says how to go on with it, with its own key', async () => {
    const place = openPlace()
    const apis = [await startFakeApi(), await startFakeApi()]
    mkdirSync(join(place.directory, 'lists'))
    // What the file names lies beside it, wherever the command is typed.
    place.write('lists/ids.csv', csvOf(conversationIds(3)))
    place.write(
      'lists/instances.csv',
      `base_url,key_variable,input\n${apis.map(({ url }) => `${url},KEY_ACME,ids.csv\n`).join('')}`,
    )
    const environment = { ADA_API_KEY: undefined, KEY_ACME: key }
    const words = [...args.slice(0, -1), 'lists/instances.csv', '--max-items', '1']
    const { code, stdout, stderr } = await place.run(words, { environment })
    expect(code, stderr).toBe(75)
    const commands = [...stdout.matchAll(/Go on with: (.*)$/gm)].map(([, command]) => command!)
    expect(commands).toHaveLength(2)
    for (const command of commands) {
      const through = (ours: string[]) => ['bash', '-c', command.replace('ada-bulk', '"$0" "$1"'), ...ours]
      expect(await place.run([], { environment, through })).toMatchObject({ code: 0 })
    }
    for (const api of apis) expect(api.calls).toHaveLength(3)
  })

  test.concurrent('a download that a person has to look at is told from a mistake of the command line', async () => {
    const place = openPlace()
    const api = await startFakeApi(() => unauthorized)
    place.write('instances.csv', `base_url,key_variable\n${api.url},ADA_API_KEY\n`)
    const words = 'run cleanup --idle 14d --yes --json --instances instances.csv'.split(' ')
    const { code, stdout } = await place.run(words)
    expect(code).toBe(4)
    expect(JSON.parse(stdout)).toMatchObject({ instances: [{ exitCode: 4, summary: null }] })
  })

  test.concurrent('are planned the same way, as one document for programs, and nothing is called', async () => {
    const place = openPlace()
    const apis = [await startFakeApi(), await startFakeApi()]
    place.write('ids.csv', csvOf(conversationIds(3)))
    place.write(
      'instances.csv',
      `base_url,key_variable,input\n${apis[0]!.url},ADA_API_KEY,ids.csv\n${apis[1]!.url},ADA_API_KEY,gone.csv\n`,
    )
    const words = 'plan end-conversations --instances instances.csv'.split(' ')
    const { code, stdout } = await place.run([...words, '--json'])
    expect(code).toBe(2)
    expect(JSON.parse(stdout)).toMatchObject({
      exitCode: 2,
      instances: [
        { instance: apis[0]!.url, exitCode: 0, plan: { valid: 3, calls: 3 } },
        { instance: apis[1]!.url, exitCode: 2, plan: null, because: expect.stringContaining('gone.csv') },
      ],
    })
    place.write('gone.csv', csvOf(conversationIds(2)))
    const text = await place.run(['run', ...words.slice(1), '--dry-run'])
    expect(text).toMatchObject({ code: 0 })
    for (const [index, count] of [3, 2].entries())
      expect(text.stdout).toMatch(
        new RegExp(`^end-conversations on ${apis[index]!.url}\n.*\n  to end    ${count} conv`, 'm'),
      )
    expect(await place.run([...words, '--output', 'plan.json'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('leave --output out'),
    })
    for (const api of apis) expect(api.calls).toEqual([])
  })

  test.concurrent('SIGTERM stops all of them in order, and --continue goes on with all', async () => {
    const place = openPlace()
    let letGo = () => {}
    const free = new Promise<void>((resolve) => {
      letGo = resolve
    })
    const slow = async (call: Parameters<typeof ada>[0]) => {
      await free
      return ada(call)
    }
    const apis = [await startFakeApi(slow), await startFakeApi(slow)]
    place.write('ids.csv', csvOf(conversationIds(9)))
    place.write(
      'instances.csv',
      `base_url,key_variable,input\n${apis.map(({ url }) => `${url},ADA_API_KEY,ids.csv\n`).join('')}`,
    )
    const running = place.start([...args, '--concurrency', '2', '--json'])
    for (const api of apis) await api.arrived(2)
    running.kill('SIGTERM')
    await running.says(/SIGTERM[\s\S]*SIGTERM/)
    letGo()
    const stopped = await running.exited
    expect(stopped.code).toBe(143)
    for (const name of readdirSync(place.runs)) {
      expect(summaryOf(join(place.runs, name)).totals).toMatchObject({ succeeded: 2, left: 7 })
    }
    const resumed = await place.run([...args, '--continue'])
    expect(resumed.code, resumed.stderr).toBe(0)
    for (const api of apis) expect(new Set(api.calls.map(({ id }) => id)).size).toBe(9)
    expect(readdirSync(place.runs)).toHaveLength(2)
  })

  test.concurrent.for([
    {
      what: 'a key variable that is not set',
      row: 'https://acme.ada.support,KEY_NOBODY,ids.csv',
      says: /row 1: the variable KEY_NOBODY .* is not set/,
    },
    {
      what: 'a key where its variable should stand',
      row: 'https://acme.ada.support,s3cr3t-k3y,ids.csv',
      says: /must be the name of a variable/,
    },
    {
      what: 'an address that is none',
      row: 'acme,ADA_API_KEY,ids.csv',
      says: /row 1: base_url acme: not an address/,
    },
    {
      what: 'an instance that stands there twice',
      row: 'https://a.ada.support,ADA_API_KEY,ids.csv\nhttps://a.ada.support/api,ADA_API_KEY,ids.csv',
      says: /stands there twice/,
    },
    { what: 'nothing', row: '', says: /names no instance/ },
  ])('refuses $what before anything is sent', async ({ row, says }) => {
    const place = openPlace()
    place.write('ids.csv', csvOf(conversationIds(1)))
    place.write('instances.csv', `base_url,key_variable,input\n${row}\n`)
    const { code, stderr } = await place.run(args)
    expect(code).toBe(2)
    expect(stderr).toMatch(says)
    expect(stderr).not.toContain('s3cr3t')
    expect(stderr).not.toContain('    at ')
  })

  test.concurrent('refuses a flag that the file stands for', async () => {
    const place = openPlace()
    const { code, stderr } = await place.run([...args, '-i', 'ids.csv'])
    expect(code).toBe(2)
    expect(stderr).toContain('leave --input out')
  })
})
