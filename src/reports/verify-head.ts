import type { Summary } from '../checkpoint/summary.js'
import { counted } from '../system/text.js'
import { type Check, right, wrong } from './verify-check.js'
import type { Look } from './verify-look.js'

const onlyKept =
  'A checkpoint that was written anew from its first line to its last shows only with --head and a hash that was kept elsewhere.'

/** Compares the last line with the hash that was kept elsewhere, else with the one that the summary names. */
export function checkHead(
  look: Look,
  summary: Summary | null,
  kept: string | undefined,
  isFinished: boolean,
): Check {
  if (kept !== undefined) return checkKept(look, kept)
  const { line } = look.end
  if (summary === null) {
    if (look.ends.at(-1)?.line === line && line > 0)
      return wrong(
        'head',
        'there is no summary.json to compare with, and a run that ends or stops leaves one.',
      )
    return right('head', `there is no summary yet to compare with. ${onlyKept}`)
  }
  const marked = look.marks.get(summary.checkpointHead)
  if (summary.checkpointHead === look.head)
    return right('head', `line ${line}, the last, is the one that summary.json names. ${onlyKept}`)
  if (marked === undefined) {
    return wrong(
      'head',
      `summary.json names a last line with the hash ${summary.checkpointHead}, and no line has it: line ${line} was changed, lines after it are gone, or the whole was written anew.`,
    )
  }
  if (isFinished) {
    return wrong(
      'head',
      `summary.json ends at line ${marked.line} of ${line}: lines were added after it, or the run died before it wrote its last summary. Then \`ada-bulk resume\` writes it.`,
    )
  }
  return right(
    'head',
    `line ${marked.line} of ${line} is the one that summary.json names, from when the run stopped before. ${onlyKept}`,
  )
}

function checkKept(look: Look, kept: string): Check {
  const { line } = look.end
  if (kept === look.head)
    return right('head', `line ${line}, the last, has the hash that was kept elsewhere.`)
  const marked = look.marks.get(kept)
  return marked === undefined
    ? wrong(
        'head',
        `no line has the hash ${kept} that was kept elsewhere: the last lines are gone or were changed, or the whole was written anew.`,
      )
    : wrong(
        'head',
        `line ${marked.line} has the hash that was kept elsewhere, and ${counted(line - marked.line, 'line')} came after it: of a later execution, whose hash is another, or added.`,
      )
}
