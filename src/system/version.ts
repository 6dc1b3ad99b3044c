import { readFileSync } from 'node:fs'

/** The version in package.json, which lies two levels above the sources and three above the built files. */
export const version: string = ['../../package.json', '../../../package.json']
  .map((path) => {
    try {
      return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as {
        name: string
        version: string
      }
    } catch {
      return null
    }
  })
  .find((found) => found?.name === 'ada-bulk')!.version
