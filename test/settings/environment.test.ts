import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  apiKey,
  redisUrl,
  requiredKey,
  runsDirectory,
  stateDirectory,
  withEnvFile,
} from '../../src/settings/environment.js'
import { UsageError } from '../../src/system/errors.js'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'ada-bulk-environment-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

function fileOf(text: string): string {
  const path = join(directory, 'file')
  writeFileSync(path, text)
  return path
}

describe('a file of variables', () => {
  test('adds what is not set, and what is set wins', () => {
    const path = fileOf('# Acme\nADA_API_KEY="ada-key-from-file"\nADA_BASE_URL=https://file.ada.support\n')
    expect(withEnvFile({ ADA_BASE_URL: 'https://acme.ada.support', HOME: '/home/kim' }, path)).toEqual({
      ADA_API_KEY: 'ada-key-from-file',
      ADA_BASE_URL: 'https://acme.ada.support',
      HOME: '/home/kim',
    })
  })

  test('that begins with a mark, as Windows writes it, is read all the same', () => {
    expect(withEnvFile({}, fileOf('\ufeffADA_API_KEY=ada-key\r\n'))).toEqual({ ADA_API_KEY: 'ada-key' })
  })

  test('that was not named changes nothing', () => {
    const environment = { ADA_API_KEY: 'ada-key' }
    expect(withEnvFile(environment, undefined)).toBe(environment)
  })

  test('that is UTF-16, as Windows writes it too, is read all the same', () => {
    const wide = (text: string, isSwapped: boolean) => {
      const path = join(directory, 'wide')
      const bytes = Buffer.from(`\ufeff${text}\r\n`, 'utf16le')
      writeFileSync(path, isSwapped ? bytes.swap16() : bytes)
      return path
    }
    for (const isSwapped of [false, true]) {
      expect(withEnvFile({}, wide('ADA_API_KEY=ada-key', isSwapped))).toEqual({ ADA_API_KEY: 'ada-key' })
      expect(apiKey({}, wide('ada-key', isSwapped))).toBe('ada-key')
    }
  })

  test('that never ends is refused', () => {
    expect(() => withEnvFile({}, '/dev/zero')).toThrow(UsageError)
    expect(() => withEnvFile({}, '/dev/zero')).toThrow(
      '--env-file /dev/zero: cannot be read (more than 1 MB, which is not what it should be).',
    )
  })

  test('that cannot be read is refused by name', () => {
    for (const path of [join(directory, 'missing'), directory]) {
      expect(() => withEnvFile({}, path)).toThrow(UsageError)
      expect(() => withEnvFile({}, path)).toThrow(`--env-file ${path}`)
    }
  })
})

describe('the key', () => {
  test('comes from ADA_API_KEY, without the spaces around it', () => {
    expect(apiKey({ ADA_API_KEY: ' ada-key-1234\n' }, undefined)).toBe('ada-key-1234')
  })

  test('comes from the file that is named, which wins', () => {
    expect(apiKey({ ADA_API_KEY: 'ada-other' }, fileOf('\ufeffada-key-1234\r\n'))).toBe('ada-key-1234')
  })

  test('is missing when there is none', () => {
    for (const environment of [{}, { ADA_API_KEY: '' }, { ADA_API_KEY: '  ' }]) {
      expect(apiKey(environment, undefined)).toBeUndefined()
    }
  })

  test('is looked for nowhere else when the file is empty or cannot be read', () => {
    for (const path of [fileOf(' \n'), join(directory, 'missing'), directory]) {
      expect(() => apiKey({ ADA_API_KEY: 'ada-other' }, path)).toThrow(UsageError)
      expect(() => apiKey({ ADA_API_KEY: 'ada-other' }, path)).toThrow(`--api-key-file ${path}`)
    }
  })

  test.each(['s3cret key', 's3cret\nkey', 's3cret\u0000', 's3crét', 's3cret\u200b', 's3cret🙂'])(
    'never stands in an error, whatever is wrong with it',
    (key) => {
      expect(() => apiKey({ ADA_API_KEY: key }, undefined)).toThrow(/^ADA_API_KEY: holds a space/)
      expect(() => apiKey({ ADA_API_KEY: key }, undefined)).not.toThrow(/s3cr/)
      const path = fileOf(key)
      expect(() => apiKey({}, path)).toThrow(`--api-key-file ${path}: holds a space`)
      expect(() => apiKey({}, path)).not.toThrow(/s3cr/)
    },
  )
})

describe('the state directory', () => {
  test('is the one of ADA_BULK_STATE', () => {
    expect(stateDirectory({ ADA_BULK_STATE: '/var/lib/ada-bulk', XDG_STATE_HOME: '/state' })).toBe(
      '/var/lib/ada-bulk',
    )
  })

  test.runIf(process.platform === 'linux')('is the platform’s usual place otherwise', () => {
    expect(stateDirectory({ XDG_STATE_HOME: '/state' })).toBe('/state/ada-bulk')
    expect(stateDirectory({ XDG_STATE_HOME: '' })).toBe(join(homedir(), '.local/state/ada-bulk'))
    expect(stateDirectory({ ADA_BULK_STATE: '' })).toBe(join(homedir(), '.local/state/ada-bulk'))
  })
})

test('a Redis is named by its flag, else by its variable', () => {
  const environment = { ADA_BULK_REDIS_URL: 'redis://127.0.0.1:6379' }
  expect(redisUrl({}, environment)).toBe('redis://127.0.0.1:6379')
  expect(redisUrl({ 'redis-url': 'redis://other:6379' }, environment)).toBe('redis://other:6379')
  expect(redisUrl({}, { ADA_BULK_REDIS_URL: '' })).toBeNull()
})

test('a missing key is answered with every way to give one', () => {
  expect(requiredKey({}, { ADA_API_KEY: 'ada-key' })).toBe('ada-key')
  expect(() => requiredKey({}, {})).toThrow(UsageError)
  expect(() => requiredKey({}, {})).toThrow(/ADA_API_KEY.*--api-key-file.*--sandbox/)
})

test('runs live where the flag says, else the environment, else in runs', () => {
  expect(runsDirectory({ 'runs-dir': '/a' }, { ADA_BULK_RUNS: '/b' })).toBe('/a')
  expect(runsDirectory({}, { ADA_BULK_RUNS: '/b' })).toBe('/b')
  expect(runsDirectory({}, { ADA_BULK_RUNS: '' })).toBe('runs')
  expect(runsDirectory({}, {})).toBe('runs')
})
