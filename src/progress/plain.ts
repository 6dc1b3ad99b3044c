import { everyTenSeconds, type Progress, progressText, type RunView } from './progress.js'

/** One line every ten seconds and one at the end, for logs. */
export function plainProgress(view: () => RunView, write: (text: string) => void): Progress {
  return { note: write, ...everyTenSeconds(() => write(progressText(view()))) }
}
