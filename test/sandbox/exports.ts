import { call, StillClock, sandboxWith } from './client.js'
import type { Sandbox, SandboxOptions } from './sandboxes.js'

export type ExportRecord = Record<string, unknown> & { _id: string }

export const conversations = '/api/v2/export/conversations'
export const messages = '/api/v2/export/messages'
export const hourMs = 3_600_000
export const dayMs = 24 * hourMs
/** When every clock here begins. */
export const nowMs = Date.UTC(2026, 10, 2, 9, 30)
export const daysAgo = (days: number) => nowMs - days * dayMs
export const iso = (atMs: number) => new Date(atMs).toISOString()
export const naive = (atMs: number) => iso(atMs).replace('Z', '000')
export const idOf = (nth: number) => `66f0b7d24c19a3e85d7b${nth.toString(16).padStart(4, '0')}`

/** One whose time stands still and whose windows are out of the way. */
export function exporting(options: SandboxOptions = {}): Promise<Sandbox> {
  return sandboxWith({ clock: new StillClock(), exportLimits: 'none', pageSizeMin: 1, ...options })
}

export function query(path: string, parameters: Record<string, string | number>): string {
  const texts = Object.entries(parameters).map(([name, value]): [string, string] => [name, String(value)])
  return `${path}?${new URLSearchParams(texts)}`
}

export async function read(sandbox: Sandbox, path: string) {
  const { status, text } = await call(sandbox, 'GET', path)
  return { status, body: JSON.parse(text!) }
}

/** All pages of a query, as a client reads them that trusts relative addresses only. */
export async function pagesOf(sandbox: Sandbox, first: string): Promise<ExportRecord[][]> {
  const pages: ExportRecord[][] = []
  for (let next: string | null = first; next !== null; ) {
    const { body } = await read(sandbox, next)
    pages.push(body.data)
    next = body.meta.next_page_uri
  }
  return pages
}

export const idsOf = (records: ExportRecord[]) => records.map(({ _id }) => _id)
