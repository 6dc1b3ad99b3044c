// After tsc: puts the bundled script and style of report.html in place of the module that bundles them.
import { chmodSync, writeFileSync } from 'node:fs'

const file = new URL('dist/src/reports/html-assets.js', import.meta.url)
const { pageAssets } = await import(file)
const assets = JSON.stringify(await pageAssets())
writeFileSync(file, `const assets = ${assets}\nexport const pageAssets = async () => assets\n`)
chmodSync('dist/src/cli.js', 0o755)
