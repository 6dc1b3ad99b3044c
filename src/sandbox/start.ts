import type { Sandbox, SandboxOptions } from './server.js'

/** Starts the sandbox. msw takes long to load (about half a second), so it is loaded only now. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const server = await import('./server.js')
  return server.startSandbox(options)
}
