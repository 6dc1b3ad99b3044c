// Preloaded with `node --import`: counts the bytes that the process reads of files with certain names (READS_OF, with
// commas between them), until its first connection and until its end, and writes both as JSON to READS_INTO.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'
import { basename } from 'node:path'

const { READS_OF, READS_INTO } = process.env
const names = READS_OF.split(',')
const read = Object.fromEntries(names.map((name) => [name, 0]))
const files = new Map()
const original = { ...fs }
const openHandle = fs.promises.open

function opened(file, path) {
  const name = basename(String(path))
  if (names.includes(name)) files.set(file, name)
  else files.delete(file)
}

function count(file, bytes) {
  const name = files.get(file)
  if (name !== undefined && bytes > 0) read[name] += bytes
}

fs.openSync = (path, ...rest) => {
  const file = original.openSync(path, ...rest)
  opened(file, path)
  return file
}
fs.readSync = (file, ...rest) => {
  const bytes = original.readSync(file, ...rest)
  count(file, bytes)
  return bytes
}
fs.read = (file, ...rest) => {
  const done = rest.pop()
  original.read(file, ...rest, (error, bytes, ...more) => {
    count(file, bytes)
    done(error, bytes, ...more)
  })
}
fs.promises.open = async (path, ...rest) => {
  const handle = await openHandle(path, ...rest)
  opened(handle.fd, path)
  const readHandle = handle.read.bind(handle)
  handle.read = async (...args) => {
    const result = await readHandle(...args)
    count(handle.fd, result.bytesRead)
    return result
  }
  return handle
}
syncBuiltinESMExports()

let beforeCalls
const { connect } = net.Socket.prototype
net.Socket.prototype.connect = function (...args) {
  beforeCalls ??= { ...read }
  return connect.apply(this, args)
}
process.on('exit', () => original.writeFileSync(READS_INTO, JSON.stringify({ beforeCalls, read })))
