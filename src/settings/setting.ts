import { parseCronTime } from './cron-time.js'
import {
  parseCaps,
  parseCount,
  parseDuration,
  parseHours,
  parseLabel,
  parseLimits,
  parseMaxFailures,
  parseMoment,
  parsePositiveDuration,
  parseRate,
  parseShares,
} from './values.js'

/** What a row says beside kind and help text. */
export interface Details {
  /** As it would be typed; the help shows it. */
  default?: string
  /** The default in words, where it is no value. */
  otherwise?: string
  /** May be given several times. (`limits` and `caps` always may.) */
  isList?: true
  isRequired?: true
  alias?: string
  /** The environment variable that is read when the flag is absent. */
  variable?: string
  choices?: readonly string[]
  /** Bounds: of a count itself, of a duration in milliseconds, of a label in characters. */
  least?: number
  most?: number
  /** How a value is written, where the kind does not say it. */
  placeholder?: string
  /** Its name in the settings that a run keeps in run.json. */
  keptAs?: string
  /** A resumed run keeps the value that it began with. */
  isFixed?: true
}

/** A row of the table of settings. */
export type Setting = readonly [kind: Kind, help: string, details?: Details]

type Bounds = Pick<Details, 'least' | 'most'>

/** What a flag may hold: how its value is written, and how it is read. */
export const kinds = {
  text: { placeholder: 'TEXT', parse: (text: string) => text },
  choice: { placeholder: 'WORD', parse: (text: string) => text },
  file: { placeholder: 'FILE', parse: (text: string) => text },
  directory: { placeholder: 'DIR', parse: (text: string) => text },
  url: { placeholder: 'URL', parse: (text: string) => text },
  switch: { placeholder: '', parse: (isOn: boolean) => isOn },
  count: {
    placeholder: 'N',
    parse: (text: string, flag: string, { least, most }: Bounds) => parseCount(text, flag, least, most),
  },
  duration: {
    placeholder: 'DURATION',
    parse: (text: string, flag: string, { least, most }: Bounds) =>
      least === 0 ? parseDuration(text, flag) : parsePositiveDuration(text, flag, most),
  },
  share: { placeholder: 'PERCENT|TIMETABLE', parse: parseShares },
  rate: { placeholder: 'PERCENT', parse: parseRate },
  limits: { placeholder: 'MAX/PERIOD', parse: parseLimits },
  caps: { placeholder: 'MAX/PERIOD', parse: parseCaps },
  hours: { placeholder: 'HH:MM-HH:MM', parse: parseHours },
  failures: { placeholder: 'N|PERCENT', parse: parseMaxFailures },
  moment: { placeholder: 'MOMENT', parse: parseMoment },
  cron: { placeholder: 'TIME', parse: parseCronTime },
  label: {
    placeholder: 'NAME',
    parse: (text: string, flag: string, { most = 63 }: Bounds) => parseLabel(text, flag, most),
  },
} as const

export type Kind = keyof typeof kinds

export type CommandName =
  | ('run' | 'plan' | 'schedule' | 'resume' | 'retry' | 'status' | 'pause' | 'continue' | 'throttle')
  | ('report' | 'verify' | 'prune' | 'export' | 'jobs' | 'sandbox' | 'doctor' | 'completion')

/** A help group, the commands that take its flags, and the flags. */
export const section = <const C extends readonly CommandName[], const R extends Record<string, Setting>>(
  group: string,
  commands: C,
  rows: R,
) => ({ group, commands, rows })
