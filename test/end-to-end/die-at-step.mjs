// Preloaded with `node --import`: kills the process, as kill -9 would, at the nth step (DIE_AT_STEP) of what it
// changes on disk below a directory (STEPS_BELOW). A write dies half done. Or right before it puts a file with a
// certain name in its place (DIE_BEFORE_FILE).
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { basename } from 'node:path'

const { DIE_AT_STEP, DIE_BEFORE_FILE, STEPS_BELOW } = process.env
const watched = new Set()
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
fs.openSync = (path, flags = 'r', ...rest) => {
  const file = original.openSync(path, flags, ...rest)
  if (isWatched(path) && flags !== 'r') watched.add(file)
  else watched.delete(file)
  return file
}
fs.writeSync = (file, data, ...rest) => {
  if (watched.has(file) && step()) {
    const bytes = Buffer.from(data)
    original.writeSync(file, bytes, 0, Math.floor(bytes.length / 2))
    die()
  }
  return original.writeSync(file, data, ...rest)
}
for (const name of ['fsyncSync', 'ftruncateSync', 'closeSync']) {
  fs[name] = (file, ...rest) => {
    if (watched.has(file) && step()) die()
    return original[name](file, ...rest)
  }
}
fs.fdatasync = (file, ...rest) => {
  if (watched.has(file) && step()) die()
  return original.fdatasync(file, ...rest)
}
for (const name of ['renameSync', 'linkSync', 'unlinkSync', 'mkdirSync']) {
  fs[name] = (path, ...rest) => {
    if (isWatched(path) && (step() || basename(String(rest[0])) === DIE_BEFORE_FILE)) die()
    return original[name](path, ...rest)
  }
}
syncBuiltinESMExports()
