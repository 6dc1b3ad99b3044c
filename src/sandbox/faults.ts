import { type Answer, cutOff, dropped, proxyPage, serverError, unavailable } from './answers.js'
import type { Chance } from './chance.js'

export interface FaultRates {
  /** Share of calls answered with a 5xx, from 0 to 1. */
  errorRate: number
  /** Share of calls whose connection is dropped, from 0 to 1. */
  dropRate: number
}

/** What goes wrong with one call. */
export type Fault =
  /** It does not get as far as to have its effect. */
  | { hasActed: false; answer: Answer }
  /** It has its effect, and then its answer is spoilt: the client cannot know. */
  | { hasActed: true; spoil: (answer: Answer) => Answer }

export function faultOf({ errorRate, dropRate }: FaultRates, chance: Chance): Fault | null {
  const draw = chance()
  if (draw < dropRate) return dropOf(chance)
  if (draw < dropRate + errorRate) return errorOf(chance)
  return null
}

/** While everything is down nobody acts; half of the calls are not even answered. */
export function outageAnswer(chance: Chance): Answer {
  return chance() < 0.5 ? dropped : unavailable()
}

function dropOf(chance: Chance): Fault {
  const draw = chance()
  if (draw < 0.5) return { hasActed: false, answer: dropped }
  return { hasActed: true, spoil: draw < 0.9 ? () => dropped : cutOff }
}

function errorOf(chance: Chance): Fault {
  const answer = errors[Math.floor(chance() * errors.length)]!
  return chance() < 0.75 ? { hasActed: false, answer } : { hasActed: true, spoil: () => answer }
}

const errors = [
  serverError(),
  proxyPage(502, 'Bad Gateway'),
  unavailable(),
  proxyPage(503, 'Service Temporarily Unavailable'),
]
