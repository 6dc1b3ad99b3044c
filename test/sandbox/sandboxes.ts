import { afterEach } from 'vitest'
import { type Sandbox, type SandboxOptions, startSandbox } from '../../src/sandbox/server.js'

const open: Sandbox[] = []

/** A sandbox that is closed after the test. */
export async function sandboxWith(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox(options)
  open.push(sandbox)
  return sandbox
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((sandbox) => sandbox.close()))
})
