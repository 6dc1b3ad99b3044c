import { factsOf } from './html-facts.js'
import { page } from './html-page.js'
import { type Report, writePiece } from './report.js'

/** `report.html`: one file for people, that needs nothing from outside. */
export const htmlReport: Report = {
  format: 'html',
  fileName: 'report.html',
  async write(run, out) {
    for (const piece of page(await factsOf(run))) await writePiece(out, piece)
  },
}
