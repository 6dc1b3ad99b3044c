// `npm run build`: compiles, and puts the bundled script and style of report.html in place of the module that makes them.
import { execFileSync } from 'node:child_process'
import { chmodSync, rmSync, writeFileSync } from 'node:fs'

rmSync('dist', { recursive: true, force: true })
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.'], { stdio: 'inherit' })
const file = new URL('dist/src/reports/html-assets.js', import.meta.url)
const { pageAssets } = await import(file)
const assets = JSON.stringify(await pageAssets())
writeFileSync(file, `const assets = ${assets}\nexport const pageAssets = async () => assets\n`)
chmodSync('dist/src/cli.js', 0o755)
