import { expect, test } from 'vitest'
import { asMarkdown, figure, withResults } from './results.js'

const readme = '# Results\n<!-- results -->\nold\n<!-- /results -->\nThe rest.\n'

test('new results take the place of the old ones, and nothing else changes', () => {
  const once = withResults(readme, '\nnew: $& and $1\n')
  expect(once).toBe('# Results\n<!-- results -->\nnew: $& and $1\n<!-- /results -->\nThe rest.\n')
  expect(withResults(once, 'new: $& and $1')).toBe(once)
})

test('markers of another name are others', () => {
  const text = `${readme}<!-- torture -->\nold\n<!-- /torture -->\n`
  expect(withResults(text, 'new', 'torture')).toBe(`${readme}<!-- torture -->\nnew\n<!-- /torture -->\n`)
})

test.each([
  ['no markers', '# Results\n'],
  ['one marker', '<!-- results -->\n'],
  ['markers in the wrong order', '<!-- /results -->\n<!-- results -->\n'],
])('a text with %s is refused', (_, text) => {
  expect(() => withResults(text, 'new')).toThrow('<!-- /results -->')
})

test('a table is written as Markdown', () => {
  const table = {
    title: 'Unthrottled',
    note: 'On one machine.',
    head: ['tool', 'IDs/s'],
    rows: [['curl', '98']],
  }
  expect(asMarkdown(table)).toBe(
    '**Unthrottled.** On one machine.\n\n| tool | IDs/s |\n| --- | --- |\n| curl | 98 |\n',
  )
})

test.each([
  [0, '0'],
  [0.0421, '0.042'],
  [1.004, '1'],
  [61.27, '61.3'],
  [1234.5, '1,235'],
  [1_000_000, '1,000,000'],
])('%d is printed as %s', (value, text) => {
  expect(figure(value)).toBe(text)
})
