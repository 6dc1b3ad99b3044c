import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // Hundreds of real processes on shared machines: what fails three times in a row is broken. Retries are reported.
    retry: process.env.CI ? 2 : 0,
  },
})
