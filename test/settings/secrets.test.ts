import { expect, test } from 'vitest'
import { looksLikeSecret, named } from '../../src/settings/secrets.js'

test.each([
  ...['k3y-0f-the-end-to-end-tests', 'sk-ada-7Qx93ZpLm4TtV0wB', 'f3b8c1d0e9a74652b1c0d9e8f7a6b5c4'],
  ...[
    'qwertzuiopasdfghjklyxcvbnm',
    'dGhpcyBpcyBub3QgYSBrZXkgYXQgYWxs==',
    '1b4f0e98-5a6b-4c7d-8e9f-0a1b2c3d4e5f',
  ],
])('%s could be a key, and is not shown', (text) => {
  expect(looksLikeSecret(text)).toBe(true)
  expect(named('--api-key-file', text)).not.toContain(text)
})

test.each([
  ...['acme', 'ada.key', 'secrets/ada-api-key', 'ada-api-key-production-2026', './f3b8c1d0e9a74652b1c0d9e8'],
  ...[
    '/run/secrets/f3b8c1d0e9a74652b1c0d9e8',
    '~/keys/f3b8c1d0e9a74652b1c0d9e8',
    'f3b8c1d0e9a74652b1c0d9e8.env',
  ],
  ...['https://acme.ada.support', 'acme.eu.ada.support/api/v2', 'close-stale-conversations'],
])('%s is no key', (text) => {
  expect(looksLikeSecret(text)).toBe(false)
  expect(named('--api-key-file', text)).toBe(`--api-key-file ${text}`)
})
