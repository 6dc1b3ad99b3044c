/** The server's time, how long the server has run, and the name of its start. */
const serverItself = `
  local clock, info = redis.call('TIME'), redis.call('INFO', 'server')
  local server_ms = clock[1] * 1000 + clock[2] / 1000
  local uptime_ms = string.match(info, 'uptime_in_seconds:(%d+)') * 1000
  local server_id = 'start ' .. string.match(info, 'run_id:(%w+)')`

/**
 * Everything that happens to the ledger in Redis, in one step that nothing comes between. Redis 6 is enough for it.
 * Tests put another server in.
 *
 * A call is one member of a sorted set, with the moment when it ended, or when it will count as ended at the latest.
 * So the slot of a process that died comes back by itself.
 *
 * The ledger's time is the server's clock plus an offset; it never goes back and never runs ahead. When the server's
 * clock and a caller's own differ by more than a second on the time since that caller's last visit, the server's clock
 * was set. Then the ledger's time continues from where it was, plus what the caller knows to have passed, if no other
 * caller came since. Smaller differences are normal: a command that was held up arrives when more time has passed than
 * its sender knew, and the ledger would fall behind by that much each time.
 *
 * Calls before the moment `blind` may not be on record: the server has lost data, or started without. Each of them was
 * answered by then plus a hold, so a caller has to wait for the hold and its windows. Lost data are noticed by the name
 * of the server's start, the number of calls, and by what the caller knows: the `epoch` that this record began with.
 */
export const ledgerScript = (server = serverItself) => `
  local calls, state_key = KEYS[1], KEYS[2]
  local arg = 0
  local function take_text() arg = arg + 1; return ARGV[arg] end
  local function take_number() return tonumber(take_text()) end
  local function text(number) return string.format('%.3f', number) end
  ${server}
  local new_epoch, known_epoch = take_text(), take_text()
  local known_visit, known_server_ms, passed_ms = take_number(), take_number(), take_number()

  local state = {}
  local fields = redis.call('HGETALL', state_key)
  for i = 1, #fields, 2 do state[fields[i]] = tonumber(fields[i + 1]) or fields[i + 1] end

  local now = server_ms + (state.offset or 0)
  if state.epoch and known_visit and math.abs(server_ms - known_server_ms - passed_ms) > 1000 then
    local was_last_here = known_epoch == state.epoch and known_visit == state.visit
    now = was_last_here and state.last + passed_ms or state.last
  end
  now = math.max(now, state.last or now)

  if not state.epoch then
    state = {epoch = new_epoch, born = now, server = server_id, taken = math.floor(server_ms), closed = 0, visit = 0}
    state.blind = known_epoch == '' and now - uptime_ms or now
  elseif state.server ~= server_id or state.size ~= redis.call('ZCARD', calls) then
    state.server, state.blind = server_id, now
  elseif known_epoch ~= '' and known_epoch ~= state.epoch then
    state.blind = math.max(state.blind, state.born)
  end

  for i = 1, take_number() do
    local token, ago_ms = take_text(), take_number()
    if ago_ms then redis.call('ZADD', calls, text(now - ago_ms), token) else redis.call('ZREM', calls, token) end
  end
  state.closed = math.max(state.closed, now + take_number())

  local keep_ms = 300000
  local function name_window(per_ms)
    if per_ms > 300000 then state['window ' .. text(per_ms)] = now + per_ms end
  end
  local answer, wait_ms, obstacle = {}, 0, ''
  local token = take_text()
  if token ~= '' then
    local hold_ms, longest_ms, windows = take_number(), 0, {}
    for i = 1, take_number() do
      windows[i] = {max = take_number(), per_ms = take_number()}
      longest_ms = math.max(longest_ms, windows[i].per_ms)
      name_window(windows[i].per_ms)
    end
    local blind_until = state.blind + hold_ms + longest_ms
    if math.max(state.closed, blind_until) > now then
      wait_ms = math.max(1, state.closed - now, blind_until - now)
      obstacle = blind_until > state.closed and 'blind' or 'closed'
    else
      for i, window in ipairs(windows) do
        local from = '(' .. text(now - window.per_ms)
        local count = redis.call('ZCOUNT', calls, from, '+inf')
        answer[i] = text(count + 1)
        local missing = count + 1 - window.max
        if missing > 0 then
          local freed = redis.call('ZRANGEBYSCORE', calls, from, '+inf', 'WITHSCORES', 'LIMIT', missing - 1, 1)
          -- A call in flight can't come back before a whole window from now.
          local window_wait_ms = math.max(1, math.min(freed[2] or now, now) + window.per_ms - now)
          if window_wait_ms > wait_ms then wait_ms, obstacle = window_wait_ms, text(i) end
        end
      end
    end
    if obstacle == '' then
      redis.call('ZADD', calls, text(now + hold_ms), token)
      state.taken = state.taken + 1
    end
  end

  for field, forget_at in pairs(state) do
    local per_ms = tonumber(string.match(field, '^window (.+)$'))
    if per_ms and forget_at <= now then
      redis.call('HDEL', state_key, field)
      state[field] = nil
    elseif per_ms then
      keep_ms = math.max(keep_ms, per_ms)
    end
  end
  redis.call('ZREMRANGEBYSCORE', calls, '-inf', text(now - keep_ms))

  state.visit, state.last, state.offset = state.visit + 1, now, now - server_ms
  state.size = redis.call('ZCARD', calls)
  local latest = redis.call('ZREVRANGE', calls, 0, 0, 'WITHSCORES')[2] or now
  local live_ms = math.ceil(math.max(600000, latest - now + keep_ms, state.closed - now))
  local written = {}
  for field, value in pairs(state) do
    table.insert(written, field)
    table.insert(written, type(value) == 'number' and text(value) or value)
  end
  redis.call('HSET', state_key, unpack(written))
  redis.call('PEXPIRE', state_key, live_ms)
  redis.call('PEXPIRE', calls, live_ms)
  return {
    state.epoch, text(state.visit), text(server_ms), text(live_ms), text(state.taken), obstacle, text(wait_ms), unpack(answer)
  }
`
