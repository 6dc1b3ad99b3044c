import { expect, test } from 'vitest'
import { noNameOnHold, notOnHold } from '../../src/filters/hold.js'
import { itemOf } from './items.js'

test('an ID on hold is turned away, any other is not', () => {
  const filter = notOnHold(new Set(['66f2a91c4be07d3f5c1e0001']))
  expect(filter.judge(itemOf({}, '66f2a91c4be07d3f5c1e0001'))).toMatchObject({ reason: 'on_hold' })
  expect(filter.judge(itemOf({}, '66f2a91c4be07d3f5c1e0002'))).toBeNull()
})

const conversation_ids = '["66f2a91c4be07d3f5c1e0001","66f2a91c4be07d3f5c1e000A"]'

test.each([
  ['by the identifier, whatever its case', 'jane@example.com', 'Jane@Example.com', {}],
  [
    'by one of the conversations that the row names',
    '66f2a91c4be07d3f5c1e000a',
    'jane',
    { conversation_ids },
  ],
  ['by the end user of a conversation', 'jane', '66f2a91c4be07d3f5c1e0001', { end_user_id: 'Jane' }],
])('an end user is on hold %s', (_, held, id, record) => {
  expect(noNameOnHold(new Set([held])).judge(itemOf(record, id))).toMatchObject({ reason: 'on_hold' })
})

test.each([
  ['another identifier', {}],
  ['conversations that are not on hold', { conversation_ids }],
  ['a column that is none of ours', { conversation_ids: 'see the other sheet' }],
])('an end user with %s is not', (_, record) => {
  expect(noNameOnHold(new Set(['john@example.com'])).judge(itemOf(record, 'jane@example.com'))).toBeNull()
})
