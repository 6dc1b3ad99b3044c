import { type Progress, progressText, type RunView } from './progress.js'

const everyMs = 10_000

/** One line every ten seconds, for logs. */
export function plainProgress(view: () => RunView, write: (text: string) => void): Progress {
  const timer = setInterval(() => write(progressText(view())), everyMs).unref()
  return { stop: () => clearInterval(timer) }
}
