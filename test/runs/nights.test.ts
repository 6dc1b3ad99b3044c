import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { seededRandom } from '../pacing/seeded-random.js'
import { dayMs, type NightOptions, World } from './nights-world.js'

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
  1: { killAt: 20 },
  3: 'missed',
  4: { more: { 'max-items': '1' } },
  6: { downFrom: 0 },
  8: { more: { 'max-items': '1' } },
  9: { more: { continue: true } },
  11: 'twice',
  13: { killAt: 2 },
  16: { downFrom: 2 },
  18: 'two months of pause',
  19: { killAt: 3 },
  20: { more: { continue: true } },
  23: 'missed',
  24: 'missed',
  26: { killAt: 1 },
}

const firstMs = Date.UTC(2026, 6, 1, 2)
const idOf = (nth: number) => `66f0b7d24c19a3e85d7b${nth.toString(16).padStart(4, '0')}`

/** What customers do in a day. */
function liveOneDay(
  world: World,
  random: () => number,
  busyUntilMs: Map<string, number>,
  started: number,
): void {
  for (const id of world.ids) {
    if (world.isEnded(id)) {
      if (random() < 0.02) world.surveyAnswered(id)
    } else if (random() < (Date.now() < (busyUntilMs.get(id) ?? 0) ? 0.5 : 0.01)) world.touch(id)
  }
  for (let nth = 0; nth < started; nth += 1) {
    const id = idOf(world.ids.length)
    world.start(id, Date.now() - Math.floor(random() * dayMs))
    busyUntilMs.set(id, Date.now() + random() ** 3 * 20 * dayMs)
  }
}

/** Becomes stale on that night, if the customer does not write again. */
function startStaleOn(world: World, nth: number, night: number): string {
  const id = `66f2a91c4be07d3f5c1e${nth.toString(16).padStart(4, '0')}`
  world.start(id, firstMs - 40 * dayMs, firstMs - 14 * dayMs + (night + 0.5) * dayMs)
  return id
}

test.each([
  { endingUpdates: true, seed: 1 },
  { endingUpdates: false, seed: 2 },
])(
  'thirty nights: nobody is called without cause, missed, or cut off ($endingUpdates)',
  async ({ endingUpdates, seed }) => {
    const random = seededRandom(seed)
    const world = await World.open({ endingUpdates, nowMs: firstMs })
    onTestFinished(() => world.close())
    const busyUntilMs = new Map<string, number>()
    for (let nth = 0; nth < 120; nth += 1) {
      const createdMs = firstMs - Math.floor(random() * 300 * dayMs)
      const updatedMs = Math.min(firstMs, createdMs + Math.floor(random() ** 4 * 30 * dayMs))
      world.start(idOf(nth), createdMs, updatedMs, random() < 0.5)
    }
    const voices = [1, 2, 3].map((nth) => startStaleOn(world, nth, nth * 3 - 4))
    for (const id of voices) world.specials.set(id, 'voice')
    const missing = [4, 5].map((nth) => startStaleOn(world, nth, nth))
    for (const id of missing) world.specials.set(id, 'missing')
    const broken = startStaleOn(world, 6, 4)
    world.specials.set(broken, 'broken')
    const held = [startStaleOn(world, 7, 4), startStaleOn(world, 8, -3)]
    for (const id of held) world.held.add(id)

    let nights = 0
    let ended = 0
    let cameBack = 0
    const story: string[] = []
    for (let night = 0; night < 30; night += 1) {
      const plan = plans[night] ?? 'as it should be'
      const isPause = plan === 'two months of pause'
      for (let passed = isPause ? 60 : 1; passed > 0; passed -= 1) {
        vi.setSystemTime(Date.now() + dayMs)
        liveOneDay(world, random, busyUntilMs, isPause ? 1 : 2)
      }
      if (night === 10) world.specials.delete(broken)
      if (night === 15) world.held.clear()
      if (plan === 'missed') continue
      const stale = world.staleIds()
      const comingBack = plan === 'as it should be' ? stale.filter(() => random() < 0.2) : []
      const options = typeof plan === 'string' ? { comingBack } : plan
      for (let times = plan === 'twice' ? 2 : 1; times > 0; times -= 1) {
        const { exitCode, said } = await world.night(options)
        story.push(
          `night ${night}, ${JSON.stringify(plan)}: exit code ${exitCode}, ${stale.length} stale. ${said}`,
        )
        const allowed = typeof plan === 'string' || plan.more?.continue ? [0, 3] : [0, 3, 4, 75, 99]
        if (!allowed.includes(exitCode)) world.offences.push(`night ${night} ended with ${exitCode}`)
      }
      nights += 1
      ended += stale.filter((id) => world.isEnded(id)).length
      cameBack += comingBack.length
    }
    expect(world.offences, story.join('\n')).toEqual([])

    // All of it happened.
    expect(nights).toBe(27)
    expect(ended).toBeGreaterThan(100)
    expect(cameBack).toBeGreaterThan(3)
    for (const id of [broken, ...held]) expect(world.isEnded(id), id).toBe(true)
    for (const id of [...voices, ...missing]) expect(world.callsFor(id), id).toBeGreaterThan(0)
  },
  180_000,
)

test('a night without anything to do is a good night', async () => {
  const world = await World.open({ endingUpdates: true, nowMs: firstMs })
  onTestFinished(() => world.close())
  expect(await world.night()).toMatchObject({ exitCode: 0 })
  vi.setSystemTime(firstMs + dayMs)
  expect(await world.night()).toMatchObject({
    exitCode: 0,
    said: expect.stringContaining('from 2026-06-16 02:00 to 2026-06-18 02:00'),
  })
})

test('an outage during the download stops the night (4), and the next one does its work', async () => {
  const world = await World.open({ endingUpdates: true, nowMs: firstMs })
  onTestFinished(() => world.close())
  const id = startStaleOn(world, 1, -10)
  expect(await world.night({ downFrom: 0 })).toMatchObject({
    exitCode: 4,
    said: expect.stringContaining('the download failed'),
  })
  expect(world.isEnded(id)).toBe(false)
  vi.setSystemTime(firstMs + dayMs)
  expect(await world.night()).toMatchObject({ exitCode: 0 })
  expect(world.isEnded(id)).toBe(true)
})

test('a longer --idle than before has nothing to do at first, and that is fine', async () => {
  const world = await World.open({ endingUpdates: false, nowMs: firstMs })
  onTestFinished(() => world.close())
  startStaleOn(world, 1, -40)
  expect(await world.night()).toMatchObject({ exitCode: 0 })
  vi.setSystemTime(firstMs + dayMs)
  expect(await world.night({ more: { idle: '30d' } })).toMatchObject({ exitCode: 0 })
  expect(await world.night()).toMatchObject({ exitCode: 0 })
  expect(world.offences).toEqual([])
})

test('a try by creation dates leaves all the rest for the next night', async () => {
  const world = await World.open({ endingUpdates: false, nowMs: firstMs })
  onTestFinished(() => world.close())
  const old = startStaleOn(world, 1, -20)
  const young = idOf(0)
  world.start(young, firstMs - 20 * dayMs)
  expect(await world.night({ more: { 'created-since': '30d' }, isTry: true })).toMatchObject({ exitCode: 0 })
  expect([world.isEnded(young), world.isEnded(old)]).toEqual([true, false])
  vi.setSystemTime(firstMs + dayMs)
  expect(await world.night()).toMatchObject({ exitCode: 0 })
  expect(world.isEnded(old)).toBe(true)
  expect(world.offences).toEqual([])
})

test('a date column of its own is refused: the nights would miss what it makes stale', async () => {
  const world = await World.open({ endingUpdates: false, nowMs: firstMs })
  onTestFinished(() => world.close())
  expect(await world.night({ more: { 'date-column': 'record_last_updated' } })).toMatchObject({
    exitCode: 2,
    said: expect.stringMatching(/^--date-column is for files/),
  })
})

test('what failed comes up again, though the night was cut off before it was remembered', async () => {
  const world = await World.open({ endingUpdates: false, nowMs: firstMs })
  onTestFinished(() => world.close())
  const broken = startStaleOn(world, 1, -20)
  startStaleOn(world, 2, -10)
  world.specials.set(broken, 'broken')
  expect(await world.night({ more: { 'max-items': '1' }, isMemoryLost: true })).toMatchObject({
    exitCode: 75,
  })
  vi.setSystemTime(firstMs + dayMs)
  expect(await world.night({ more: { continue: true } })).toMatchObject({ exitCode: 3 })
  world.specials.clear()
  vi.setSystemTime(firstMs + 2 * dayMs)
  expect(await world.night()).toMatchObject({ exitCode: 0 })
  expect(world.offences).toEqual([])
})
