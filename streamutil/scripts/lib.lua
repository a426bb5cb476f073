-- What scripts share. Each gets the functions that it uses put before it, and all
-- that is no function. A blank line ends a function and stands in none.
--
-- KEYS, alike for every script: stream due dead control pace stats consumers log.
-- Records have keys of their own under the same hash tag, made in record_key: an
-- order's id is often known only once its entry has been read. They lie in the
-- same slot, so a cluster accepts them.
--
-- ARGV of every script but enqueue and lookup begins with a nonce, the name of
-- the next epoch should one have to begin, and the length of the log.

local STREAM, DUE, DEAD, CONTROL = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local PACE, STATS, CONSUMERS, LOG = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local GROUP, PARKED = 'dispatchers', 'parked'
local NONCE, LOG_MAX = ARGV[1], ARGV[2]

local GRACE = 200000 -- W, in microseconds
local BATCH = 100000 -- a batch holds the slots of so many microseconds
local LONGEST = 7 * 24 * 3600 * 1000 -- no wait is longer, in milliseconds
local MANY = 1000 -- bounds what one script looks through, so that none runs long

-- A double prints its last digits wrong above 10^14 unless told how.
local function int(n) return string.format('%.0f', n) end

-- A number that a hash keeps; 0 if it is not there, or somebody wrote over it.
local function num(v)
  local n = tonumber(v or 0)
  return n and math.abs(n) < 1e15 and n or 0
end

-- The form of all that is kept. What a newer program has given another form is left
-- alone: nothing is done, and nothing lost.
local SCHEMA = 1
local found = num(redis.call('HGET', CONTROL, 'schema'))
if found > SCHEMA then
  return redis.error_reply('SCHEMA the queue has form ' .. int(found) .. ' of a newer orderq; this one knows form ' .. SCHEMA .. ': upgrade it')
end

-- HINCRBY refuses to count on from what is no number, in the middle of a script.
local function add(key, field, n)
  local sum = num(redis.call('HGET', key, field)) + n
  redis.call('HSET', key, field, int(sum))
  return sum
end

local function record_key(order) return string.sub(STREAM, 1, -7) .. 'order:' .. order end

-- A flat list of names and values as a table.
local function map(flat)
  local t = {}
  for i = 1, #flat, 2 do t[flat[i]] = flat[i + 1] end
  return t
end

-- One line of the queue's log: what happened, then names and values.
local function log(what, ...)
  redis.call('XADD', LOG, 'MAXLEN', '~', LOG_MAX, '*', 'what', what, ...)
end

---- Time -------------------------------------------------------------------

local function wall_time() -- Redis's clock in milliseconds: for people, never for decisions
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- Queue time in milliseconds: the wall clock plus an offset that is raised
-- whenever the clock ran backwards. It never runs back itself; a jump forward
-- ends waits early.
local function peek_time()
  local wall = wall_time()
  local kept = redis.call('HMGET', PACE, 'clock_last', 'clock_offset')
  local last, offset = num(kept[1]), num(kept[2])
  if wall + offset < last then offset = last - wall end
  return wall + offset, offset, wall
end

local function queue_time()
  local now, offset = peek_time()
  redis.call('HSET', PACE, 'clock_last', int(now), 'clock_offset', int(offset))
  return now
end

---- Consumers --------------------------------------------------------------

-- A consumer as it is kept; nil if somebody wrote over it by hand.
local function identity_of(text)
  local ok, c = pcall(cjson.decode, text)
  return ok and type(c) == 'table' and c.beat and c.k and c.pace and c.lease and c or nil
end

local function consumer(name)
  local text = redis.call('HGET', CONSUMERS, name)
  return text and identity_of(text)
end

local function keep_consumer(name, c) redis.call('HSET', CONSUMERS, name, cjson.encode(c)) end

-- The queue's own pace is the slowest of the registered consumers'; with none
-- registered the last one known stays, for those who estimate.
local function set_base_pace()
  local slowest
  for _, v in ipairs(redis.call('HVALS', CONSUMERS)) do
    local c = identity_of(v)
    if c and (not slowest or c.pace > slowest) then slowest = c.pace end
  end
  if slowest then redis.call('HSET', CONTROL, 'pace', int(slowest)) end
end

-- The interval between two starts now in force, in microseconds: an operator's,
-- else the queue's own; 0 unlimited, nil not known yet.
local function interval()
  local c = redis.call('HMGET', CONTROL, 'pace', 'pace_override', 'pace_until')
  local ends = num(c[3])
  local own, override = tonumber(c[1] or nil), tonumber(c[2] or nil)
  if override and override >= 0 and (ends == 0 or ends > peek_time()) then return override end
  return own and own >= 0 and own or nil
end

-- Whether there are orders that nobody has taken yet.
local function others_wait()
  local pending = redis.pcall('XPENDING', STREAM, GROUP)
  return redis.call('XLEN', STREAM) > (pending.err and 0 or pending[1])
end

-- Why nothing may be sent now, and for how many milliseconds (-1: until someone
-- acts); nil if it may.
local function blocked(now)
  local c = redis.call('HMGET', CONTROL, 'paused', 'pause_until', 'hold_until', 'breaker', 'breaker_until', 'alone')
  local pause_ends, hold_ends, breaker_ends = num(c[2]), num(c[3]), num(c[5])
  if c[1] and pause_ends == 0 then return c[1], -1 end
  if c[1] and pause_ends > now then return c[1], pause_ends - now end
  if hold_ends > now then return 'hold', hold_ends - now end
  if c[4] and breaker_ends > now and not (c[6] and others_wait()) then return 'breaker', breaker_ends - now end
end

---- Epoch and slots --------------------------------------------------------

local function server_identity()
  local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
  local replication = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
  return run .. ':' .. replication
end

local function in_flight()
  return redis.call('XPENDING', STREAM, GROUP)[1] - redis.call('ZCARD', DUE)
end

-- An entry's sequence number; nil if it was added by hand without a sound one.
local function sequence(fields)
  local seq = fields.seq
  return seq and string.find(seq, '^%d+$') and #seq <= 15 and tonumber(seq) or nil
end

-- A group that vanished is created again at 0: whatever the stream holds is
-- unfinished. Nothing is pending then, so nothing can be parked.
local function create_group()
  redis.call('XGROUP', 'CREATE', STREAM, GROUP, '0', 'MKSTREAM')
  redis.call('DEL', DUE)
  local first = redis.call('XRANGE', STREAM, '-', '+', 'COUNT', 1)[1]
  local seq = first and sequence(map(first[2]))
  local taken = seq and seq - 1 or num(redis.call('HGET', STATS, 'seq'))
  redis.call('HSET', STATS, 'taken', int(taken))
end

-- Begins a new epoch if Redis may have forgotten something since the last call:
-- another server or another history answers, or the pace or the group is gone.
-- Calls may still run that nobody remembers, so the epoch stays closed until
-- open.lua; only a consumer that registers with a queue that knows of nobody
-- and of nothing in flight finds it open at once.
-- Returns nil, or the error that the script has to end with.
local function check_epoch(registering)
  local server = server_identity()
  local known = redis.call('HGET', PACE, 'server')
  local pending = redis.pcall('XPENDING', STREAM, GROUP)
  if pending.err then
    if not string.find(pending.err, 'NOGROUP', 1, true) then return pending end
    create_group()
    if known then log('group', 'state', 'created again') end
  elseif known == server then
    return
  end
  local quiet = registering and redis.call('HLEN', CONSUMERS) == 0 and in_flight() == 0
  redis.call('HSET', PACE, 'server', server, 'epoch', NONCE, 'slot', 0, 'state', 'granted',
    'open', quiet and 1 or 0)
  redis.call('HDEL', PACE, 'holder', 'last_start')
  if known then log('epoch', 'state', quiet and 'open' or 'closed') end
end

-- The present slot: epoch, number, granted, started or free (granted without a
-- pace), the microseconds that nobody else may ask for after reading it, whether
-- the epoch is open, the interval (-1 not known), and why nothing may be sent
-- and for how many milliseconds.
local function slot_view()
  local p = redis.call('HMGET', PACE, 'epoch', 'slot', 'state', 'last_start', 'open')
  local t = interval()
  -- Slot 0 stands for whatever the last epoch granted: up to a whole batch.
  local wait = p[4] and num(p[4]) + (t or 0) or math.max(t or 0, BATCH) + GRACE
  local why, ms = blocked(peek_time())
  return { p[1], int(num(p[2])), p[3], int(wait), p[5], t and int(t) or '-1', why or '', int(ms or 0) }
end

---- Entries and records ----------------------------------------------------

local function entry(id)
  local found = redis.pcall('XRANGE', STREAM, id, id) -- an id may be no id, where a hand wrote it
  return not found.err and found[1] and map(found[1][2])
end

local function valid_order_id(id)
  return id and #id <= 128 and string.find(id, '^[A-Za-z0-9][A-Za-z0-9._:-]*$') ~= nil
end

-- IDs as numbers: by their text 100-10 would come before 100-9.
local function before(a, b)
  local am, as = string.match(a, '^(%d+)%-(%d+)$')
  local bm, bs = string.match(b, '^(%d+)%-(%d+)$')
  if not (am and bm) then return false end -- no id, where a hand wrote it
  if am ~= bm then return tonumber(am) < tonumber(bm) end
  return tonumber(as) < tonumber(bs)
end

-- Who has an entry, by the stream's own account; nil for nobody, or no group.
local function holder(id)
  local p = redis.pcall('XPENDING', STREAM, GROUP, id, id, 1)
  return not p.err and p[1] and p[1][2] or nil
end

-- The last entry that the group has read.
local function last_read()
  for _, g in ipairs(redis.call('XINFO', 'GROUPS', STREAM)) do
    local group = map(g)
    if group.name == GROUP then return group['last-delivered-id'] end
  end
  return '0-0'
end

-- Whether the entry is pending under this name. One that someone acknowledged by
-- hand is made pending again; not so one that the group has yet to read, for it
-- would be read all the same.
local function holds(name, id)
  local with = holder(id)
  if with or before(last_read(), id) then return with == name end
  redis.call('XCLAIM', STREAM, GROUP, name, 0, id, 'FORCE', 'JUSTID')
  return true
end

-- The ids of what is pending under a name.
local function held_by(name)
  local ids, from = {}, '-'
  repeat
    local page = redis.call('XPENDING', STREAM, GROUP, from, '+', 100, name)
    for _, p in ipairs(page) do ids[#ids + 1] = p[1] end
    from = #page > 0 and '(' .. page[#page][1]
  until #page < 100
  return ids
end

-- Names that hold entries, with how many.
local function holders()
  local names = redis.call('XPENDING', STREAM, GROUP)[4]
  return names or {}
end

local function remove_entry(id)
  redis.call('XACK', STREAM, GROUP, id)
  redis.call('XDEL', STREAM, id)
  redis.call('ZREM', DUE, id)
end

-- What this call took out of the way, for the caller's own log: entry, order, why.
local set_aside = {}

-- An entry that someone deleted by hand while it was pending: said, and let go.
local function entry_vanished(id)
  redis.call('XACK', STREAM, GROUP, id)
  redis.call('ZREM', DUE, id)
  add(STATS, 'vanished', 1)
  log('vanished', 'entry', id)
  set_aside[#set_aside + 1] = { id, '', 'vanished' }
end

-- JUSTID, so that a delivery is not counted: the attempts are in the record.
-- An uncertain attempt must not be repeated before its time: not_before.
local function park(id, order, due, not_before)
  redis.call('XCLAIM', STREAM, GROUP, PARKED, 0, id, 'JUSTID')
  redis.call('ZADD', DUE, int(due), id)
  local key = record_key(order)
  redis.call('HSET', key, 'state', 'parked')
  redis.call('HDEL', key, 'consumer', 'take')
  if not_before then redis.call('HSET', key, 'not_before', int(not_before)) end
end

-- Sets an entry aside for a person. Only an order that this entry stands for
-- becomes dead with it; a stray entry leaves its namesake's record alone.
local function bury(id, fields, reason, owns_record)
  local order = fields.id or ''
  local key = record_key(order)
  local rec = owns_record and map(redis.call('HGETALL', key)) or {}
  local letter = redis.call('XADD', DEAD, '*', 'id', order, 'body', fields.body or '',
    'reason', reason, 'status', rec.status or '', 'answer', rec.answer or '',
    'attempts', rec.attempts or 0, 'entry', id, 'trace', fields.trace or '',
    'raw', reason == 'undecodable' and cjson.encode(fields) or '') -- all that was in it
  remove_entry(id)
  add(STATS, 'dead', 1)
  log('dead', 'order', order, 'entry', id, 'reason', reason)
  set_aside[#set_aside + 1] = { id, order, reason }
  if owns_record then
    redis.call('HSET', key, 'state', 'dead', 'letter', letter, 'finished', int(wall_time()))
    redis.call('HDEL', key, 'consumer', 'take')
    redis.call('PERSIST', key) -- it lives as long as its dead letter
  end
  return letter
end

-- Takes an entry from whoever has it and makes it due, for the next take to
-- find. Returns its fields, or nil if there is no order to be had from it.
local function make_due(id, due, not_before)
  local fields = entry(id)
  if not fields then return entry_vanished(id) end
  if not valid_order_id(fields.id) then bury(id, fields, 'undecodable', false) return end
  park(id, fields.id, due, not_before)
  return fields
end

-- Puts an order at the end of the stream under the next number; gives the entry, or
-- Redis's error. It is the only step that can fail: whoever calls this does it
-- first, for Redis does not roll back, and keeps the number in stats after it.
local function append(order, body, trace, seq)
  return redis.pcall('XADD', STREAM, '*', 'id', order, 'body', body, 'seq', int(seq), 'trace', trace)
end

-- An order's state. The stream knows better than the record once the group was
-- created again, or an entry deleted by hand: then the order is as good as cancelled.
local function present_state(rec)
  if rec.state == 'delivered' or rec.state == 'dead' or rec.state == 'cancelled' then return rec.state end
  local with = holder(rec.entry)
  if with then return with == PARKED and 'parked' or 'in_flight' end
  return entry(rec.entry) and 'waiting' or 'cancelled'
end

-- A write that changes nothing and needs no memory: WAIT vouches only for a
-- connection that wrote.
local function touch(key)
  local left = redis.call('PTTL', key)
  redis.call('PEXPIRE', key, left > 0 and left or 1000000000)
  if left < 0 then redis.call('PERSIST', key) end
end

-- Takes an order that waits or is parked out of the queue: it is cancelled, or was
-- delivered by others.
local function finish_order(key, rec, state, final, retention)
  remove_entry(rec.entry)
  redis.call('HSET', key, 'state', final, 'finished', int(wall_time()))
  redis.call('HDEL', key, 'consumer', 'take', 'not_before')
  redis.call('PEXPIRE', key, retention)
  add(STATS, final, 1)
  local numbers = redis.call('HMGET', STATS, 'taken', 'skipped', 'seq')
  local taken, skipped, last = num(numbers[1]), num(numbers[2]) + 1, num(numbers[3])
  if state ~= 'waiting' or num(rec.seq) <= taken then return end
  -- Its number will be missing when the queue gets there; if all that are left
  -- are, the queue is there already, or they would count in places for ever.
  if taken + skipped == last then taken, skipped = last, 0 end
  redis.call('HSET', STATS, 'taken', int(taken), 'skipped', int(skipped))
end

---- The partner's outages -----------------------------------------------------

-- The nth hold in a row, in milliseconds: 1 s, doubling up to 60 s.
local function hold_length(n) return math.min(1000 * 2 ^ n, 60000) end

-- Lets what an outage has parked be taken at the given time: else the orders
-- that failed last would go first when it is over. What speaks against an order
-- itself, its strikes, leaves it its own delay.
local function advance_due(at)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', DUE, '(' .. int(at), '+inf', 'LIMIT', 0, MANY)) do
    local fields = entry(id)
    local rec = fields and redis.call('HMGET', record_key(fields.id or ''), 'strikes', 'not_before') or { '1' }
    if num(rec[1]) == 0 then
      redis.call('ZADD', DUE, int(math.max(at, num(rec[2]))), id)
    end
  end
end

-- Ends what keeps a queue from sending after failures. Returns whether the
-- breaker was open.
local function close_breaker(now)
  local open = redis.call('HEXISTS', CONTROL, 'breaker') == 1
  redis.call('HDEL', CONTROL, 'breaker', 'breaker_until', 'probe', 'overtaker', 'failures', 'throttles',
    'suspect', 'suspicion', 'alone')
  if open then
    log('breaker', 'state', 'closed')
    advance_due(now)
  end
  return open
end

---- Places -----------------------------------------------------------------

-- What the places of waiting orders depend on: up to which number the queue was
-- taken, how many are due before, the interval (µs, -1 not known), what is left of a
-- hold or pause (ms), the wall clock (ms). While a pause has no end there is no
-- estimate: the interval counts as not known.
local function outlook()
  local now, _, wall = peek_time()
  local _, wait = blocked(now)
  local t = wait ~= -1 and interval()
  return {
    int(num(redis.call('HGET', STATS, 'taken'))), redis.call('ZCOUNT', DUE, '-inf', int(now)),
    t and int(t) or '-1', int(wait or 0), int(wall),
  }
end
