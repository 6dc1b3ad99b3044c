import cliProgress from 'cli-progress'
import { type Progress, progressParts, type RunView } from './progress.js'

const everyMs = 250

/** A bar with the counts behind it, drawn anew four times a second. For a terminal, however narrow. */
export function barProgress(view: () => RunView, stream: NodeJS.WriteStream): Progress {
  const bar = new cliProgress.SingleBar({
    stream,
    format: ({ barCompleteString = '', barIncompleteString = '' }, { progress }, { now }) => {
      const columns = stream.columns || 80
      const size = Math.max(8, Math.min(24, Math.floor(columns / 6)))
      const done = Math.floor(progress * size)
      const bar = barCompleteString.slice(0, done) + barIncompleteString.slice(0, size - done)
      const head = `${bar} ${String(Math.floor(progress * 100)).padStart(3)}% `
      return head + fitting(now, columns - head.length - 1)
    },
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    gracefulExit: false,
    noTTYOutput: false,
    linewrap: true,
    // After a log line or a change of the window's size it has to be drawn though nothing has changed.
    forceRedraw: true,
    fps: 4,
  })
  const draw = () => {
    const now = view()
    bar.update(now.tally.settled, { now })
  }
  const first = view()
  bar.start(first.read, first.tally.settled, { now: first })
  const timer = setInterval(draw, everyMs).unref()
  return {
    note(text) {
      if (!bar.isActive) return void stream.write(`${text}\n`)
      stream.write(`${clearLine}${text}\n${saveCursor}`)
      bar.render()
    },
    stop() {
      clearInterval(timer)
      if (!bar.isActive) return
      draw()
      bar.stop()
    },
  }
}

const clearLine = '\r\u001b[K'

/** When it stops, cli-progress goes back to where the cursor was saved: that has to be the bar's line. */
const saveCursor = '\u001b7'

/** As much of what there is to say as a line has room for: the counts by outcome go first, then the pace. */
function fitting(view: RunView, columns: number): string {
  const { done, counts, pace, doing } = progressParts(view)
  const texts = [
    [done + counts, pace, doing],
    [done, pace, doing],
    [done, doing],
  ].map((parts) => parts.filter((part) => part !== '').join('; '))
  return texts.find((text) => text.length <= columns) ?? texts.at(-1)!.slice(0, Math.max(0, columns))
}
