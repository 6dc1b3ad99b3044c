import { type Progress, progressText, type RunView } from './progress.js'

const everyMs = 10_000

/** One line every ten seconds and one at the end, for logs. */
export function plainProgress(view: () => RunView, write: (text: string) => void): Progress {
  const timer = setInterval(() => write(progressText(view())), everyMs).unref()
  let isStopped = false
  return {
    note: write,
    stop() {
      if (isStopped) return
      isStopped = true
      clearInterval(timer)
      write(progressText(view()))
    },
  }
}
