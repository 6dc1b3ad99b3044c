import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: Math.max(2, availableParallelism()),
    // Hundreds of real processes on shared machines: what fails three times in a row is broken. Retries are reported.
    retry: process.env.CI ? 2 : 0,
  },
})
