import { type Progress, progressFields, type RunView } from './progress.js'

const everyMs = 10_000

/** One JSON object a line: at the start, every ten seconds and at the end. For programs. */
export function jsonProgress(view: () => RunView, write: (text: string) => void): Progress {
  const show = () => write(JSON.stringify(progressFields(view())))
  show()
  const timer = setInterval(show, everyMs).unref()
  let isStopped = false
  return {
    note: write,
    stop() {
      if (isStopped) return
      isStopped = true
      clearInterval(timer)
      show()
    },
  }
}
