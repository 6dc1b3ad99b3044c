import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startRedis } from './server.js'

/** A Redis behind TLS on `localhost`, with a certificate of its own making. */
export async function startTlsRedis() {
  const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-tls-'))
  const [key, certificate] = [join(directory, 'key.pem'), join(directory, 'certificate.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2']
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', certificate, ...subject],
    {
      stdio: 'ignore',
    },
  )
  const server = await startRedis([
    ...['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificate],
    ...['--tls-auth-clients', 'no', '--tls-port', '{tls}'],
  ])
  return {
    port: server.tlsPort,
    certificate,
    /** A file with this code. */
    script(code: string): string {
      const path = join(directory, 'client.mts')
      writeFileSync(path, code)
      return path
    },
    async stop() {
      await server.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
