import { clearLine, cursorTo } from 'node:readline'
import { type Progress, progressParts } from './lines.js'
import { every, type RunView } from './view.js'

const hideCursor = '\u001b[?25l'
const showCursor = '\u001b[?25h'

/** A bar with the counts behind it, drawn four times a second. For a terminal, however narrow. */
export function barProgress(view: () => RunView, stream: NodeJS.WriteStream): Progress {
  let isActive = true
  const draw = () => {
    cursorTo(stream, 0)
    stream.write(barText(view(), stream.columns || 80))
    clearLine(stream, 1)
  }
  stream.write(hideCursor)
  draw()
  const timer = every(250, draw)
  return {
    note(text) {
      if (isActive) {
        cursorTo(stream, 0)
        clearLine(stream, 0)
      }
      stream.write(`${text}\n`)
      if (isActive) draw()
    },
    stop() {
      if (!isActive) return
      isActive = false
      timer[Symbol.dispose]()
      draw()
      stream.write(`\n${showCursor}`)
    },
  }
}

function barText(view: RunView, columns: number): string {
  const size = Math.max(8, Math.min(24, Math.floor(columns / 6)))
  const share = Math.min(1, view.tally.settled / Math.max(1, view.read))
  const bar = '█'.repeat(Math.floor(share * size)).padEnd(size, '░')
  const head = `${bar} ${String(Math.floor(share * 100)).padStart(3)}% `
  return head + fitting(view, columns - head.length - 1)
}

/** The most that a line has room for: the counts by outcome go first, then the pace. */
function fitting(view: RunView, columns: number): string {
  const { done, counts, pace, doing } = progressParts(view)
  const texts = [
    [done + counts, pace, doing],
    [done, pace, doing],
    [done, doing],
  ].map((parts) => parts.filter((part) => part !== '').join('; '))
  return texts.find((text) => text.length <= columns) ?? texts.at(-1)!.slice(0, Math.max(0, columns))
}
