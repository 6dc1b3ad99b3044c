import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startFakeApi } from './fake-api.js'
import { conversationIds, csvOf, openPlace, reportOf, summaryOf } from './harness.js'

async function scene() {
  const place = openPlace()
  const ids = conversationIds(5)
  place.write('stale.csv', csvOf(ids))
  const api = await startFakeApi()
  const args = `run end-conversations -i stale.csv --base-url ${api.url} --yes --run-dir done`.split(' ')
  return { place, ids, args, directory: join(place.directory, 'done') }
}

test.concurrent('a run leaves report.html, and report writes the very same again', async () => {
  const { place, ids, args, directory } = await scene()
  expect(await place.run([...args, '--max-items', '2'])).toMatchObject({ code: 75 })
  const path = join(directory, 'report.html')
  expect(readFileSync(path, 'utf8')).toContain('Stopped, not finished.')
  expect(await place.run(['resume', 'done', '--yes'])).toMatchObject({ code: 0 })
  const written = readFileSync(path, 'utf8')
  expect(written).toContain('Finished, and nothing failed.')
  for (const id of ids) expect(written).toContain(id)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(await place.run(['report', 'done', '--format', 'html', '-o', '-'])).toMatchObject({
    stdout: written,
  })
})

test.concurrent('where report.html cannot be written, report.csv is there, and the run says what to do', async () => {
  const { place, ids, args, directory } = await scene()
  mkdirSync(join(directory, 'report.html', 'taken'), { recursive: true })
  const ended = await place.run(args)
  expect(ended).toMatchObject({ code: 4 })
  expect(ended.stdout + ended.stderr).toContain('--format html')
  expect(reportOf(directory).map(({ id }) => id)).toEqual(ids)
  expect(summaryOf(directory)).toMatchObject({ exitCode: 4, totals: { succeeded: 5 } })
  expect(existsSync(join(directory, 'checkpoint.jsonl'))).toBe(true)
})
