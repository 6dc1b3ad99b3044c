import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { dayMs, type NightOptions, World } from './nights-world.js'
import { seededRandom } from './pacing/seeded-random.js'

/** A second of the program's waiting takes so much less. */
const speed = vi.hoisted(() => 100)

vi.mock('node:timers/promises', async (original) => {
  const real = await original<typeof import('node:timers/promises')>()
  return {
    ...real,
    setTimeout: (ms: number, ...rest: [unknown, object]) => real.setTimeout(ms / speed, ...rest),
  }
})

beforeEach(() => {
  const real = process.hrtime.bigint.bind(process.hrtime)
  const start = real()
  vi.spyOn(process.hrtime, 'bigint').mockImplementation(() => start + (real() - start) * BigInt(speed))
  vi.useFakeTimers({ toFake: ['Date'] })
})

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

type NightPlan = NightOptions | 'missed' | 'twice' | 'two months of pause'

/** What is special about a night; all others are as they should be. */
const plans: Record<number, NightPlan> = {
  0: { killAt: 0 },
  1: { killAt: 30 },
  3: 'missed',
  4: { more: { 'max-items': '2' } },
  6: { downFrom: 0 },
  8: { more: { 'max-items': '1' } },
  9: { more: { continue: true } },
  11: 'twice',
  13: { killAt: 2 },
  16: { downFrom: 2 },
  18: 'two months of pause',
  19: { killAt: 9 },
  20: { more: { continue: true } },
  23: 'missed',
  24: 'missed',
  26: { killAt: 1 },
}

const idOf = (nth: number) => `66f0b7d24c19a3e85d7b${nth.toString(16).padStart(4, '0')}`

/** What customers do in a day. */
function liveOneDay(world: World, random: () => number, lastWrites: Map<string, number>): void {
  for (const id of world.ids) {
    if (world.isEnded(id)) {
      if (random() < 0.02) world.surveyAnswered(id)
      continue
    }
    const isBusy = Date.now() < (lastWrites.get(id) ?? 0)
    if (random() < (isBusy ? 0.5 : 0.01)) world.touch(id)
  }
  for (let started = 0; started < 2; started += 1) {
    const id = idOf(world.ids.length)
    world.start(id, Date.now() - Math.floor(random() * dayMs))
    lastWrites.set(id, Date.now() + random() ** 3 * 20 * dayMs)
  }
}

test.each([
  { endingUpdates: true, seed: 1 },
  { endingUpdates: false, seed: 2 },
])('thirty nights of cleanup: $endingUpdates', async ({ endingUpdates, seed }) => {
  const random = seededRandom(seed)
  const firstMs = Date.UTC(2026, 6, 1, 2)
  const world = await World.open({ endingUpdates, nowMs: firstMs })
  const lastWrites = new Map<string, number>()
  for (let nth = 0; nth < 160; nth += 1) {
    const createdMs = firstMs - Math.floor(random() * 300 * dayMs)
    const updatedMs = Math.min(firstMs, createdMs + Math.floor(random() ** 4 * 30 * dayMs))
    world.start(idOf(nth), createdMs, updatedMs, random() < 0.4)
  }
  // Become stale one after another; what is special about them shows then.
  const special = (nth: number, staleOnNight: number) => {
    const id = `66f2a91c4be07d3f5c1e${nth.toString(16).padStart(4, '0')}`
    world.start(id, firstMs - 40 * dayMs, firstMs - 14 * dayMs + (staleOnNight - 0.5) * dayMs)
    return id
  }
  for (const nth of [1, 2, 3]) world.specials.set(special(nth, nth * 3 - 4), 'voice')
  for (const nth of [4, 5]) world.specials.set(special(nth, nth), 'missing')
  const broken = special(6, 5)
  world.specials.set(broken, 'broken')
  const held = [special(7, 5), special(8, -3)]
  for (const id of held) world.held.add(id)

  let days = 0
  const story: string[] = []
  for (let night = 0; night < 30; night += 1) {
    const plan = plans[night] ?? {}
    for (let passed = plan === 'two months of pause' ? 60 : 1; passed > 0; passed -= 1) {
      days += 1
      vi.setSystemTime(firstMs + days * dayMs)
      liveOneDay(world, random, lastWrites)
    }
    if (night === 10) world.specials.delete(broken)
    if (night === 15) world.held.clear()
    if (plan === 'missed') continue
    const stale = world.staleIds()
    const options: NightOptions =
      typeof plan === 'string' || Object.keys(plan).length > 0
        ? typeof plan === 'string'
          ? {}
          : plan
        : { comingBack: stale.filter(() => random() < 0.2) }
    for (let times = plan === 'twice' ? 2 : 1; times > 0; times -= 1) {
      const { exitCode, said } = await world.night(options)
      story.push(`night ${night} ${JSON.stringify(plan)} stale ${stale.length}: ${exitCode} ${said.replaceAll('\n', ' | ')} calls ${world.calls}`)
    }
  }
  console.log(story.join('\n'))
  console.log(world.offences)
  await world.close()
})
