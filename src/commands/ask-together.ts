import type { Shell } from './shell.js'

/**
 * Puts the questions of several that run side by side one after the other, when all have come to theirs or have left;
 * and answers nobody before all are answered. So nothing begins anywhere while a person still thinks.
 */
export function askingTogether(
  count: number,
  ask: Shell['ask'],
): { ask(index: number, question: string): Promise<string>; leave(index: number): void } {
  const undecided = new Set(Array.from({ length: count }, (_, index) => index))
  const questions: {
    question: string
    resolve: (answer: string) => void
    reject: (error: unknown) => void
  }[] = []

  function decided(index: number): void {
    undecided.delete(index)
    if (undecided.size === 0) void askAll()
  }

  async function askAll(): Promise<void> {
    const asked = questions.splice(0)
    try {
      const answers: string[] = []
      for (const { question } of asked) answers.push(await ask(question))
      for (const [index, { resolve }] of asked.entries()) resolve(answers[index]!)
    } catch (error) {
      for (const { reject } of asked) reject(error)
    }
  }

  return {
    ask: (index, question) =>
      new Promise((resolve, reject) => {
        questions.push({ question, resolve, reject })
        decided(index)
      }),
    leave: decided,
  }
}
