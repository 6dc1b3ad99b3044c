import { describe, expect, test } from 'vitest'
import { identifierColumns, identifierFilters } from '../../src/filters/identifiers.js'
import { UsageError } from '../../src/system/errors.js'
import { itemOf } from './items.js'

const judge = (
  flags: Record<string, string>,
  record: Record<string, unknown> = {},
  id = 'jane@example.com',
) =>
  identifierFilters(flags)
    .map((filter) => filter.judge(itemOf(record, id)))
    .find((refusal) => refusal !== null) ?? null

describe('the flags of identifiers', () => {
  test.each([
    [{}, /--identifier-type email\|chatter_id/],
    [{ 'identifier-type': 'email', 'type-column': 'kind' }, /One of the two/],
    [{ 'identifier-type': 'phone' }, /there are email, /],
    [{ 'identifier-type': 'variable_match' }, /--variable/],
  ])('%j are refused', (flags, message) => {
    expect(() => identifierFilters(flags)).toThrow(UsageError)
    expect(() => identifierFilters(flags)).toThrow(message)
  })

  test('say in which column the identifiers stand', () => {
    expect(identifierColumns({ 'identifier-type': 'external_id' })[0]).toBe('external_id')
    expect(identifierColumns({ 'type-column': 'kind' })).toEqual(['identifier', 'value'])
  })
})

describe('a row', () => {
  test('with a known type is taken', () => {
    expect(judge({ 'identifier-type': 'email' })).toBeNull()
    expect(judge({ 'type-column': 'kind' }, { kind: ' Email ' })).toBeNull()
    expect(judge({ 'type-column': 'kind' }, { kind: 'variable_match', variable: 'account' })).toBeNull()
  })

  test.each([
    ['no type', {}],
    ['an unknown type', { kind: 'phone' }],
    ['a variable_match without its variable', { kind: 'variable_match' }],
  ])('with %s is invalid, and its cells are not repeated', (_, record) => {
    const refusal = judge({ 'type-column': 'kind' }, record)
    expect(refusal).toMatchObject({ status: 'invalid', reason: 'bad_row' })
    expect(refusal?.message).not.toContain('phone')
  })

  test('that says itself that it is to be left is left, for its reason', () => {
    expect(judge({ 'identifier-type': 'email' }, { leave: 'other_conversations' })).toMatchObject({
      status: 'filtered',
      reason: 'other_conversations',
    })
    expect(judge({ 'identifier-type': 'email' }, { leave: '' })).toBeNull()
  })
})
