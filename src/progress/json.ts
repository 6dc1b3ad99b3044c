import { everyTenSeconds, type Progress, progressFields, type RunView } from './progress.js'

/** One JSON object a line: at the start, every ten seconds and at the end. For programs. */
export function jsonProgress(view: () => RunView, write: (text: string) => void): Progress {
  const show = () => write(JSON.stringify(progressFields(view())))
  show()
  return { note: write, ...everyTenSeconds(show) }
}
