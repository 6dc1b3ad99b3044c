// Preloaded with `node --import`: kills the process, as kill -9 would, at the nth step of its work on files in the
// run's directory. DIE_AT_STEP is the number; a write dies half done. COUNT_STEPS names a file that gets the count.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const { DIE_AT_STEP, STEPS_BELOW, COUNT_STEPS } = process.env
const pathOf = new Map()
let steps = 0

function die() {
  process.kill(process.pid, 'SIGKILL')
}

function isWatched(path) {
  return String(path).startsWith(STEPS_BELOW)
}

function step() {
  steps += 1
  return steps === Number(DIE_AT_STEP)
}

const original = { ...fs }
fs.openSync = (path, ...rest) => {
  const file = original.openSync(path, ...rest)
  if (isWatched(path)) pathOf.set(file, path)
  else pathOf.delete(file)
  return file
}
fs.writeSync = (file, data, ...rest) => {
  if (pathOf.has(file) && step()) {
    const bytes = Buffer.from(data)
    original.writeSync(file, bytes, 0, Math.floor(bytes.length / 2))
    die()
  }
  return original.writeSync(file, data, ...rest)
}
for (const name of ['fsyncSync', 'ftruncateSync', 'closeSync']) {
  fs[name] = (file, ...rest) => {
    if (pathOf.has(file) && step()) die()
    return original[name](file, ...rest)
  }
}
fs.fdatasync = (file, ...rest) => {
  if (pathOf.has(file) && step()) die()
  return original.fdatasync(file, ...rest)
}
for (const name of ['renameSync', 'linkSync', 'unlinkSync', 'mkdirSync']) {
  fs[name] = (path, ...rest) => {
    if (isWatched(path) && step()) die()
    return original[name](path, ...rest)
  }
}
syncBuiltinESMExports()
if (COUNT_STEPS) process.on('exit', () => original.writeFileSync(COUNT_STEPS, String(steps)))
