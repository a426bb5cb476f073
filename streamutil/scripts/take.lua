-- take: the one place that decides what may be sent now.
--
-- ARGV: name, k (the consumer's own number, rising with every take), n
--   (entries wanted; 0 settles accounts only), epoch, slot, most in flight over
--   all consumers, then the entries that the caller holds: all that it has not
--   seen confirmed settled.
-- Result: a status, the slot as it is now, and what belongs to the status:
--   gone                unknown name (no slot)
--   stale               k is not above the last one (no slot); nothing changed
--   settled             n was 0
--   closed              the epoch is not open yet
--   told                another epoch or slot is in force; nothing was used
--   blocked, why, ms    nothing may be sent for that long (-1 not known)
--   empty, ms, id       nothing is ready; the next due time is ms away (-1 none);
--                       what comes next has an id above this one
--   taken, entries      {entry, order, body, trace, attempt, accepted ms}; the
--                       slot is a new one, granted to the caller
--
-- A reply that was lost strands nothing: what is pending under the caller's
-- name, not parked and not named as held becomes due. An old take arriving late
-- cannot do that with its old list, since its k is stale.

local name, k, n = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local epoch, slot, max_in_flight = ARGV[6], ARGV[7], tonumber(ARGV[8])
local failed = check_epoch()
if failed then return failed end

local me = consumer(name)
if not me then return { 'gone' } end
if k <= me.k then return { 'stale' } end
me.k = k
keep_consumer(name, me)

local now = queue_time()
local holding = {}
for i = 9, #ARGV do holding[ARGV[i]] = true end
for _, id in ipairs(held_by(name)) do
  if not holding[id] then make_due(id, now) end
end
if n == 0 then return { 'settled', slot_view() } end

-- The due index stands beside the stream; someone may have deleted it, or a part
-- of it. What is parked by the stream's own account is due then.
local function find_parked()
  local parked = 0
  for _, h in ipairs(holders()) do
    if h[1] == PARKED then parked = tonumber(h[2]) end
  end
  if parked <= redis.call('ZCARD', DUE) then return end
  for _, id in ipairs(held_by(PARKED)) do redis.call('ZADD', DUE, 'NX', int(now), id) end
  log('due', 'state', 'found again')
end
find_parked()

-- Why nothing may be sent at all, and for how many milliseconds.
local function blocked()
  local c = redis.call('HMGET', CONTROL, 'paused', 'pause_until', 'hold_until')
  local pause_until, hold_until = tonumber(c[2] or 0), tonumber(c[3] or 0)
  if c[1] and pause_until == 0 then return c[1], -1 end
  if c[1] and pause_until > now then return c[1], pause_until - now end
  if hold_until > now then return 'hold', hold_until - now end
  if in_flight() >= max_in_flight then return 'max_in_flight', -1 end
end

if not interval() then set_base_pace() end -- someone deleted the control hash
local view, t = slot_view(), interval()
if view[1] ~= epoch then return { 'told', view } end
if view[5] ~= '1' then return { 'closed', view } end
if t ~= 0 and view[2] ~= slot then return { 'told', view } end
local why, wait = blocked()
if why then return { 'blocked', view, why, int(wait) } end

local taken = {}
local room = math.min(n, max_in_flight - in_flight())

-- Hands an entry to the caller, or sets it aside if it is no order.
local function hand_out(id, flat)
  local fields = map(flat)
  if not valid_order_id(fields.id) or not fields.body then
    bury(id, fields, 'undecodable', false)
    return
  end
  local key = record_key(fields.id)
  local rec = redis.call('HMGET', key, 'entry', 'accepted')
  if rec[1] and rec[1] ~= id then
    bury(id, fields, 'duplicate', false) -- added by hand beside the order's own entry
    return
  end
  local accepted = rec[2] or string.match(id, '^%d+')
  if not rec[1] then
    redis.call('HSET', key, 'entry', id, 'seq', int(sequence(fields) or 0), 'accepted', accepted)
  end
  local attempt = redis.call('HINCRBY', key, 'attempts', 1)
  redis.call('HSET', key, 'state', 'in_flight', 'consumer', name, 'take', int(k),
    'taken', int(wall_time()))
  taken[#taken + 1] = { id, fields.id, fields.body, fields.trace or '', int(attempt), accepted }
end

-- IDs as numbers: by their text 100-10 would come before 100-9.
local function before(a, b)
  local am, as = string.match(a, '^(%d+)%-(%d+)$')
  local bm, bs = string.match(b, '^(%d+)%-(%d+)$')
  if am ~= bm then return tonumber(am) < tonumber(bm) end
  return tonumber(as) < tonumber(bs)
end

local due = redis.call('ZRANGEBYSCORE', DUE, '-inf', int(now), 'LIMIT', 0, 100)
table.sort(due, before)
for _, id in ipairs(due) do
  if #taken >= room then break end
  -- FORCE finds again what someone acknowledged by hand.
  local claimed = redis.call('XCLAIM', STREAM, GROUP, name, 0, id, 'FORCE')[1]
  redis.call('ZREM', DUE, id)
  if claimed then hand_out(id, claimed[2]) else entry_vanished(id) end
end

-- Then new ones. What is no order is set aside and the next one looked at, up
-- to a hundred at a time, so that no script runs long.
for _ = 1, 100 do
  if #taken >= room then break end
  local read = redis.call('XREADGROUP', 'GROUP', GROUP, name, 'COUNT', room - #taken, 'STREAMS', STREAM, '>')
  if not read then break end
  for _, e in ipairs(read[1][2]) do
    local seq = sequence(map(e[2]))
    if seq then redis.call('HSET', STATS, 'taken', int(seq)) end
    hand_out(e[1], e[2])
  end
end

if #taken == 0 then
  local next = redis.call('ZRANGE', DUE, 0, 0, 'WITHSCORES')[2]
  local last = redis.call('XREVRANGE', STREAM, '+', '-', 'COUNT', 1)[1]
  return { 'empty', view, next and int(math.max(next - now, 0)) or '-1', last and last[1] or '0-0' }
end
if t ~= 0 then
  redis.call('HSET', PACE, 'slot', int(view[2] + 1), 'state', 'granted', 'holder', name,
    'wait', int(#taken * t + GRACE))
end
return { 'taken', slot_view(), taken }
