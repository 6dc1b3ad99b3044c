import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** Stands between a client and a port of this host, and can cut all connections, refuse new ones, or say nothing. */
export async function startProxy(toPort: number) {
  let mood: 'open' | 'refusing' | 'silent' = 'open'
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    if (mood === 'refusing') return client.destroy()
    const upstream = connect(toPort, '127.0.0.1')
    for (const [from, to] of [[client, upstream] as const, [upstream, client] as const]) {
      sockets.add(from)
      from.on('data', (bytes) => mood === 'open' && to.write(bytes))
      from.on('error', () => {})
      from.on('close', () => sockets.delete(from) && to.destroy())
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as { port: number }).port,
    set(newMood: typeof mood) {
      mood = newMood
      if (mood === 'refusing') cut()
    },
    stop() {
      cut()
      server.close()
    },
  }
}
