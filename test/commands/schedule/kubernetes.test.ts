import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { kubernetes } from '../../../src/commands/schedule/kubernetes.js'
import type { Task } from '../../../src/commands/schedule/schedule.js'
import { containerOf, cronJobOf, expectCronJob } from './cron-job.js'
import { anyWords, nastyWords, taskOf, textOf } from './tasks.js'

const yamlOf = (task: Task) => textOf(kubernetes.files(task), '.yaml')

/** What the kubelet makes of an argument. */
const expanded = (argument: string) =>
  argument.replace(/\$\$|\$\((\w+)\)/g, (_, name) => (name ? `<${name}>` : '$'))

describe('a CronJob', () => {
  test.each([
    ['as it comes', taskOf()],
    [
      'with everything that may be in it',
      taskOf({ stopsItself: true, cluster: { ...taskOf().cluster, namespace: 'ada' } }),
    ],
    ['for the sandbox', taskOf({ secrets: [] })],
  ])('%s fits the schema of Kubernetes', (_, task) => {
    expectCronJob(yamlOf(task))
  })

  test('the check finds a wrong type, a missing field and a mistyped one', () => {
    expect(() => expectCronJob(yamlOf(taskOf()).replace('backoffLimit: 6', 'backoffLimit: six'))).toThrow(
      /backoffLimit/,
    )
    expect(() => expectCronJob(yamlOf(taskOf()).replace(/^ {2}schedule: .*$/m, ''))).toThrow(/schedule/)
    expect(() => expectCronJob(yamlOf(taskOf()).replace('restartPolicy', 'restartPolcy'))).toThrow(
      /restartPolcy/,
    )
  })

  test('gives every word to the container as it was typed', () => {
    const argumentsOf = (words: readonly string[]) =>
      containerOf(yamlOf(taskOf({ words }))).args!.map(expanded)
    expect(argumentsOf(nastyWords)).toEqual(nastyWords)
    fc.assert(
      fc.property(anyWords, (words) => {
        expect(argumentsOf(words)).toEqual(words)
      }),
    )
  })

  test('never runs beside itself, and tries again only what resumes', () => {
    const { spec } = cronJobOf(yamlOf(taskOf({ graceSeconds: 90 })))
    const job = spec!.jobTemplate.spec!
    expect(spec).toMatchObject({
      concurrencyPolicy: 'Forbid',
      schedule: '0 3 * * *',
      timeZone: 'Europe/Berlin',
    })
    // Finished with failures: begun again, it would call all of the list once more.
    expect(job.podFailurePolicy!.rules[0]).toMatchObject({
      action: 'FailJob',
      onExitCodes: { values: [2, 3, 4] },
    })
    expect(job.template.spec).toMatchObject({ restartPolicy: 'Never', terminationGracePeriodSeconds: 90 })
  })

  test('that is stopped by its own flags rests until the next start', () => {
    const rules = cronJobOf(yamlOf(taskOf({ stopsItself: true }))).spec!.jobTemplate.spec!.podFailurePolicy!
      .rules
    expect(rules[0]).toMatchObject({ action: 'FailJob', onExitCodes: { values: [2, 3, 4, 75] } })
  })
})
