import { describe, expect, test } from 'vitest'
import { instanceOrigin, originOfHandle, parseBaseUrl } from '../../src/settings/addresses.js'
import { UsageError } from '../../src/system/errors.js'

describe('an address', () => {
  test.each([
    'https://acme.ada.support',
    'https://acme.ada.support/',
    'https://acme.ada.support/api',
    'https://acme.ada.support/api/',
    'https://acme.ada.support/api/v2',
    'https://acme.ada.support/api/v2/',
    'https://acme.ada.support//api//v2//',
    'https://acme.ada.support/api/v2/conversations/',
    'https://acme.ada.support/API/V2',
    'https://acme.ada.support:443/',
    'https://acme.ada.support/api/v2?page_size=100#top',
    'acme.ada.support',
    'acme.ada.support/api/v2/',
    'HTTPS://ACME.Ada.Support',
    '  https://acme.ada.support\n',
  ])('%j is the instance acme', (text) => {
    expect(parseBaseUrl(text)).toBe('https://acme.ada.support')
  })

  test.each([
    ['https://acme.eu.ada.support/api/v2', 'https://acme.eu.ada.support'],
    ['https://proxy.example:8443/api', 'https://proxy.example:8443'],
    ['http://localhost:4010', 'http://localhost:4010'],
    // Nobody has a certificate for this machine.
    ['localhost:4010', 'http://localhost:4010'],
    ['127.0.0.1:4010/api', 'http://127.0.0.1:4010'],
    ['http://127.0.0.1:4010/api/v2/', 'http://127.0.0.1:4010'],
    ['http://127.8.9.10', 'http://127.8.9.10'],
    ['http://[::1]:4010', 'http://[::1]:4010'],
    ['http://ada.localhost', 'http://ada.localhost'],
    ['http://0x7f.1:4010', 'http://127.0.0.1:4010'],
  ])('%j is %s', (text, origin) => {
    expect(parseBaseUrl(text)).toBe(origin)
  })

  test.each([
    ...[
      '',
      '  ',
      'https://',
      'https://acme ada',
      'https://acme.ada.support:notaport',
      'ftp://acme.ada.support',
    ],
    ...[
      'file:///etc/passwd',
      'javascript://acme',
      'https://acme.ada.support/dashboard',
      'https://acme.ada.support/apis',
    ],
    ...['https://acme.ada.support/v2', 'https://acme.ada.support/api/conversations'],
  ])('%j is refused, and the flag is named', (text) => {
    expect(() => parseBaseUrl(text, 'ADA_BASE_URL')).toThrow(UsageError)
    expect(() => parseBaseUrl(text, 'ADA_BASE_URL')).toThrow(/^ADA_BASE_URL/)
  })

  test.each([
    ...[
      'http://acme.ada.support',
      'http://10.0.0.7',
      'http://127.0.0.1.evil.example',
      'http://localhost.evil.example',
    ],
    ...['http://notlocalhost', 'http://[::2]', 'http://128.0.0.1'],
  ])('%s would carry the key in the clear and is refused', (text) => {
    expect(() => parseBaseUrl(text)).toThrow(/plain http would send the key readable/)
  })

  test.each([
    'https://person:s3cret@acme.ada.support',
    'https://s3cret@acme.ada.support',
    'https://:s3cret@acme.ada.support/api',
    'person:s3cret@acme.ada.support',
    'http://person:s3cret@acme.ada.support',
    'ftp://person:s3cret@acme.ada.support',
    'https://person:s3cret@acme.ada.support:notaport',
    'https://person:s3cret@',
  ])('credentials in an address are refused and not repeated', (text) => {
    expect(() => parseBaseUrl(text)).toThrow(UsageError)
    expect(() => parseBaseUrl(text)).not.toThrow(/s3cret/)
  })
})

describe('a handle', () => {
  test.each([
    ['acme', undefined, 'https://acme.ada.support'],
    ['acme', 'eu', 'https://acme.eu.ada.support'],
    ['Acme-Bank2', 'US2', 'https://acme-bank2.us2.ada.support'],
    ['a', undefined, 'https://a.ada.support'],
  ])('%s in the region %s is %s', (handle, region, origin) => {
    expect(originOfHandle(handle, region)).toBe(origin)
  })

  test.each([
    ['', undefined, '--handle'],
    ['acme.ada.support', undefined, '--handle acme.ada.support'],
    ['https://acme', undefined, '--handle https://acme'],
    ['-acme', undefined, '--handle -acme'],
    ['acme-', undefined, '--handle acme-'],
    ['evil.example/', undefined, '--handle evil.example/'],
    ['acme bank', undefined, '--handle acme bank'],
    ['acme', 'eu.evil.example#', '--region eu.evil.example#'],
    ['acme', 'e u', '--region e u'],
  ])('%j in the region %j is refused', (handle, region, named) => {
    expect(() => originOfHandle(handle, region)).toThrow(UsageError)
    expect(() => originOfHandle(handle, region)).toThrow(named)
  })
})

test('a bare handle is no address: it says which flag takes it', () => {
  expect(() => parseBaseUrl('acme')).toThrow(
    '--base-url acme: not an address. For a handle alone, write --handle acme.',
  )
})

describe('the instance', () => {
  const originOf = (flags: object, environment: Record<string, string> = {}) =>
    instanceOrigin(flags as Parameters<typeof instanceOrigin>[0], environment)
  const environment = { ADA_BASE_URL: 'https://environment.ada.support/api' }

  test('is the one of the flags, else of the environment, else none', () => {
    expect(originOf({ 'base-url': 'acme.ada.support' }, environment)).toBe('https://acme.ada.support')
    expect(originOf({ handle: 'acme', region: 'eu' }, environment)).toBe('https://acme.eu.ada.support')
    expect(originOf({}, environment)).toBe('https://environment.ada.support')
    expect(originOf({}, { ADA_BASE_URL: '' })).toBeNull()
    expect(originOf({})).toBeNull()
  })

  test('is named once', () => {
    expect(() => originOf({ 'base-url': 'acme.ada.support', handle: 'acme' })).toThrow(UsageError)
    expect(() => originOf({ 'base-url': 'acme.ada.support', region: 'eu' })).toThrow(UsageError)
  })

  test('of the environment that cannot be used is blamed on the environment', () => {
    expect(() => originOf({}, { ADA_BASE_URL: 'http://acme.ada.support' })).toThrow(/^ADA_BASE_URL/)
  })
})
