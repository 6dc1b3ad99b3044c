import cliProgress from 'cli-progress'
import { type Progress, progressText, type RunView } from './progress.js'

const everyMs = 250

/** A bar with the counts behind it, drawn anew four times a second. For a terminal. */
export function barProgress(view: () => RunView, stream: NodeJS.WriteStream): Progress {
  const bar = new cliProgress.SingleBar({
    stream,
    format: '{bar} {percentage}% {text}',
    barsize: 20,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    gracefulExit: false,
    noTTYOutput: false,
    linewrap: false,
  })
  const draw = () => {
    const now = view()
    bar.update(now.tally.settled, { text: progressText(now) })
  }
  const first = view()
  bar.start(first.read, first.tally.settled, { text: progressText(first) })
  const timer = setInterval(draw, everyMs).unref()
  return {
    stop() {
      clearInterval(timer)
      if (!bar.isActive) return
      draw()
      bar.stop()
    },
  }
}
