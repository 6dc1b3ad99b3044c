import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { UsageError } from '../system/errors.js'

/** Every client built on fetch refuses to call these (the "bad ports" of the fetch standard; 1 to 1023 left out). */
const portsThatFetchRefuses = new Set([
  1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697,
  10080,
])

/** Listens on this computer only, and gives back the port; 0 asks for a free one. */
export async function listen(server: Server, port: number): Promise<number> {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new UsageError(`Port ${port} does not exist: choose one from 1024 to 65535, or 0 for a free one.`)
  }
  if (portsThatFetchRefuses.has(port)) {
    throw new UsageError(
      `Port ${port} is one that HTTP clients refuse to call: choose another, such as 4010.`,
    )
  }
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explained(error, port)))
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

function explained(error: NodeJS.ErrnoException, port: number): Error {
  switch (error.code) {
    case 'EADDRINUSE':
      return new UsageError(
        `Port ${port} is in use by another program: stop that one, choose another port, or 0 for a free one.`,
      )
    case 'EACCES':
      return new UsageError(`You are not allowed to use port ${port}: choose one from 1024 to 65535.`)
    default:
      return error
  }
}
