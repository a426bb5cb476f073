-- take: the one place that decides what may be sent now.
--
-- ARGV: name, k (the consumer's own number, rising with every take), n
--   (entries wanted; 0 settles accounts only), epoch, slot, most in flight over
--   all consumers, then the entries that the caller holds: all that it has not
--   seen confirmed settled.
-- Result: a status, the slot as it is now, and what belongs to the status:
--   gone                unknown name (no slot)
--   stale               k is not above the last one (no slot); nothing changed
--   settled, aside      n was 0
--   closed              the epoch is not open yet
--   told                another epoch or slot is in force; nothing was used
--   blocked, why, ms    nothing may be sent for that long (-1 not known)
--   empty, ms, id,      nothing is ready; the next due time is ms away (-1 none);
--     aside             what comes next has an id above this one
--   taken, entries,     {entry, order, body, trace, attempt, accepted ms}; the
--     aside             slot is a new one, granted to the caller
-- aside is what was found to be no order, or gone: {entry, order, why}.
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
  -- What the caller does not know of it has not started: no attempt.
  local fields = not holding[id] and make_due(id, now)
  if fields then add(record_key(fields.id), 'attempts', -1) end
end
if n == 0 then return { 'settled', slot_view(), set_aside } end

-- The due index stands beside the stream; someone may have deleted it, or a part
-- of it, or written times into it that no delay can have set. What is parked by
-- the stream's own account is due then.
local function find_parked()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', DUE, int(now + LONGEST), '+inf', 'LIMIT', 0, MANY)) do
    redis.call('ZADD', DUE, int(now), id)
  end
  local parked = 0
  for _, h in ipairs(holders()) do
    if h[1] == PARKED then parked = tonumber(h[2]) end
  end
  if parked <= redis.call('ZCARD', DUE) then return end
  for _, id in ipairs(held_by(PARKED)) do redis.call('ZADD', DUE, 'NX', int(now), id) end
  log('due', 'state', 'found again')
end
find_parked()

if not interval() then set_base_pace() end -- someone deleted the control hash
local view, t = slot_view(), interval()
if view[1] ~= epoch then return { 'told', view } end
if view[5] ~= '1' then return { 'closed', view } end
if t ~= 0 and view[3] == 'free' then
  -- There was no pace until now: a call may have begun at this moment.
  redis.call('HSET', PACE, 'slot', int(num(view[2]) + 1), 'state', 'granted', 'last_start', int(GRACE))
  return { 'told', slot_view() }
end
if t ~= 0 and view[2] ~= slot then return { 'told', view } end
if view[7] ~= '' then return { 'blocked', view, view[7], view[8] } end

-- How many may be handed out: the slots of a batch, what may be in flight, and
-- of a partner in trouble one at a time, to see whether it is over. Failed
-- probes are counted in breaker.
local flying, room = in_flight(), n
if t ~= 0 then room = math.min(room, math.max(math.floor(BATCH / t), 1)) end
room = math.min(room, max_in_flight - flying)
if room <= 0 then return { 'blocked', view, 'max_in_flight', '-1' } end
local probes = tonumber(redis.call('HGET', CONTROL, 'breaker') or nil)
if probes then room = 1 - flying end
if room <= 0 then return { 'blocked', view, 'breaker', '-1' } end

local taken = {}

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
  local attempt = add(key, 'attempts', 1)
  redis.call('HSET', key, 'state', 'in_flight', 'consumer', name, 'take', int(k),
    'taken', int(wall_time()))
  redis.call('HDEL', key, 'not_before')
  taken[#taken + 1] = { id, fields.id, fields.body, fields.trace or '', int(attempt), accepted }
end

local function take_due(ids)
  for _, id in ipairs(ids) do
    if #taken >= room then return end
    -- FORCE finds again what someone acknowledged by hand.
    local claimed = redis.call('XCLAIM', STREAM, GROUP, name, 0, id, 'FORCE')[1]
    redis.call('ZREM', DUE, id)
    if claimed then hand_out(id, claimed[2]) else entry_vanished(id) end
  end
end

-- Numbers are given without a gap. What is missing was cancelled, or deleted by
-- hand: that is said.
local function taken_up_to(seq)
  local missing = seq - num(redis.call('HGET', STATS, 'taken')) - 1
  redis.call('HSET', STATS, 'taken', int(seq))
  if missing <= 0 then return end
  local deleted = math.max(missing - num(redis.call('HGET', STATS, 'skipped')), 0)
  add(STATS, 'skipped', deleted - missing)
  if deleted == 0 then return end
  add(STATS, 'vanished', deleted)
  log('vanished', 'orders', int(deleted))
  set_aside[#set_aside + 1] = { '0-0', '', 'vanished' }
end

-- What is no order is set aside and the next one looked at, up to a hundred at
-- a time, so that no script runs long.
local function take_new()
  for _ = 1, 100 do
    if #taken >= room then return end
    local read = redis.call('XREADGROUP', 'GROUP', GROUP, name, 'COUNT', room - #taken, 'STREAMS', STREAM, '>')
    if not read then return end
    for _, e in ipairs(read[1][2]) do
      local seq = sequence(map(e[2]))
      if seq then taken_up_to(seq) end
      hand_out(e[1], e[2])
    end
  end
end

local due = redis.call('ZRANGEBYSCORE', DUE, '-inf', int(now), 'LIMIT', 0, 100)
table.sort(due, before)
local last_resort = {}

-- Leaves for last what only stands in the way.
local function pass_by(in_the_way)
  local others = {}
  for _, id in ipairs(due) do
    local list = in_the_way(id) and last_resort or others
    list[#list + 1] = id
  end
  due = others
end

-- It may be one order's fault, and not the partner's. So after two attempts in a
-- row the third is another's, if there is one; and from the fifth failed probe
-- on every second takes the next in line, each time another one.
local suspect = redis.call('HMGET', CONTROL, 'suspect', 'suspicion', 'alone')
if probes and probes >= 5 and probes % 2 == 1 and #due > 0 then
  local passed = redis.call('HGET', CONTROL, 'overtaker') or due[1]
  pass_by(function(id) return not before(passed, id) end)
elseif (not probes or suspect[3]) and num(suspect[2]) >= 2 then
  pass_by(function(id) return id == suspect[1] end)
end
take_due(due)
take_new()
take_due(last_resort)

if #taken == 0 then
  local next = redis.call('ZRANGE', DUE, 0, 0, 'WITHSCORES')[2]
  local last = redis.call('XREVRANGE', STREAM, '+', '-', 'COUNT', 1)[1]
  return { 'empty', view, next and int(math.max(next - now, 0)) or '-1', last and last[1] or '0-0', set_aside }
end
if probes then
  local id = taken[1][1]
  redis.call('HSET', CONTROL, 'probe', id)
  if probes >= 5 and probes % 2 == 1 then redis.call('HSET', CONTROL, 'overtaker', id) end
end
if t == 0 then
  redis.call('HSET', PACE, 'state', 'free')
  redis.call('HDEL', PACE, 'holder', 'last_start')
else
  redis.call('HSET', PACE, 'slot', int(num(view[2]) + 1), 'state', 'granted', 'holder', name,
    'last_start', int((#taken - 1) * t + GRACE))
end
return { 'taken', slot_view(), taken, set_aside }
