import { userInfo } from 'node:os'

/** Who runs this process: the user's name, or the number where the system knows no name for it. */
export function currentUser(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? '')
  }
}
