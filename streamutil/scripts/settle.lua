-- settle: what an attempt meant, with all that follows from it, in one step.
--
-- ARGV: name, k (of the take that handed the entry out), entry, order,
--   outcome, delay (ms until it is due again, if it is), status and answer of
--   the partner, retention (ms), whether it counts (0: we cut the call), then
--   the policy: most strikes, on_uncertain (retry|dead), how long an uncertain
--   order is left alone, how long the partner asked for (0: it did not say) and
--   at most gets (all ms).
-- Result: ok, the order's state now, what came of it for the whole queue (hold,
--   open, closed, credentials or nothing), for how many ms; or stray, its state:
--   the caller no longer holds the entry, and nothing changed.
--
-- delivered always counts, by order id: from anyone, when the entry or the
-- group is gone, over dead and cancelled, for the order *was* delivered. All
-- else acts only for whoever holds the entry by this very take, so it may be
-- repeated and may come late.

local name, k, id, order, outcome = ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local delay, status, answer, retention = tonumber(ARGV[8]), ARGV[9], ARGV[10], ARGV[11]
local counts, max_strikes, on_uncertain = ARGV[12] == '1', tonumber(ARGV[13]), ARGV[14]
local quiet, retry_after, max_hold = tonumber(ARGV[15]), tonumber(ARGV[16]), tonumber(ARGV[17])
local failed = check_epoch()
if failed then return failed end

local key = record_key(order)
local rec = map(redis.call('HGETALL', key))
local now = queue_time()

local function note(state)
  log('attempt', 'order', order, 'entry', id, 'outcome', outcome, 'state', state, 'status', status,
    'attempt', rec.attempts or 0, 'consumer', name)
end

-- Removes an entry if it is this order's: IDs can be issued again after a failover.
local function remove_own(entry_id)
  local fields = entry_id and entry_id ~= '' and entry(entry_id)
  if fields and fields.id == order then remove_entry(entry_id) end
end

if outcome == 'delivered' then
  remove_own(id)
  if rec.state == 'delivered' then return { 'ok', 'delivered', '', '0' } end
  if rec.entry ~= id then remove_own(rec.entry) end
  if rec.state == 'dead' or rec.state == 'cancelled' then
    add(STATS, rec.state, -1)
    if rec.letter then redis.call('XDEL', DEAD, rec.letter) end
  end
  redis.call('HSET', key, 'entry', rec.entry or id, 'state', 'delivered', 'outcome', outcome,
    'status', status, 'answer', answer, 'finished', int(wall_time()))
  redis.call('HDEL', key, 'consumer', 'take', 'letter')
  redis.call('PEXPIRE', key, retention)
  add(STATS, 'delivered', 1)
  note('delivered')
  return { 'ok', 'delivered', close_breaker(now) and 'closed' or '', '0' }
end

local fields = entry(id)
local ours = rec.entry == id and rec.consumer == name and rec.take == k
if ours and not fields then
  -- Deleted by hand during the call: whoever did that cancelled the order.
  entry_vanished(id)
  redis.call('HSET', key, 'state', 'cancelled', 'outcome', outcome, 'status', status, 'answer', answer,
    'finished', int(wall_time()))
  redis.call('HDEL', key, 'consumer', 'take')
  redis.call('PEXPIRE', key, retention)
  add(STATS, 'cancelled', 1)
  note('cancelled')
  return { 'ok', 'cancelled', '', '0' }
end
if not ours or fields.id ~= order or not holds(name, id) then return { 'stray', rec.state or '' } end

redis.call('HSET', key, 'outcome', outcome, 'status', status, 'answer', answer)
local effect, effect_ms = '', 0

-- The partner wants fewer calls: nobody sends for so long.
local function hold()
  local in_a_row = add(CONTROL, 'throttles', 1)
  effect, effect_ms = 'hold', math.min(retry_after > 0 and retry_after or hold_length(in_a_row - 1), max_hold)
  local ends = math.max(now + effect_ms, num(redis.call('HGET', CONTROL, 'hold_until')))
  redis.call('HSET', CONTROL, 'hold_until', int(ends))
end

-- The partner refuses us: calls are of no use until a person has been there.
local function pause()
  local why = blocked(now)
  if why == 'paused' or why == 'credentials' then return end
  redis.call('HSET', CONTROL, 'paused', 'credentials', 'pause_who', 'orderq',
    'pause_why', 'the partner answered ' .. status)
  redis.call('HDEL', CONTROL, 'pause_until')
  log('pause', 'reason', 'credentials', 'who', 'orderq')
  effect = 'credentials'
end

-- A strike speaks against the order itself: others got through since its last attempt.
local function strikes()
  local delivered = num(redis.call('HGET', STATS, 'delivered'))
  local struck = counts and rec.seen and delivered > num(rec.seen)
  redis.call('HSET', key, 'seen', int(delivered))
  return struck and add(key, 'strikes', 1) or num(rec.strikes)
end

-- Three attempts in a row that did not get through open the breaker; a probe
-- that fails keeps it open for longer. Returns when its hold ends, nil if it is closed.
local function trip_breaker()
  local c = redis.call('HMGET', CONTROL, 'breaker', 'breaker_until', 'probe')
  local probes = tonumber(c[1] or nil)
  if not counts or (probes and c[3] ~= id) then return tonumber(c[2] or nil) end
  local opens = not probes
  if redis.call('HGET', CONTROL, 'suspect') ~= id then redis.call('HSET', CONTROL, 'suspect', id, 'suspicion', 0) end
  local in_a_row = add(CONTROL, 'suspicion', 1)
  if opens and add(CONTROL, 'failures', 1) < 3 then return end
  -- While all of them are one order's, another need not wait: it may not be the
  -- partner's fault.
  if opens and in_a_row >= 3 then redis.call('HSET', CONTROL, 'alone', id) end
  if redis.call('HGET', CONTROL, 'alone') ~= id then redis.call('HDEL', CONTROL, 'alone') end
  probes = opens and 0 or probes + 1
  effect, effect_ms = 'open', math.max(hold_length(probes), outcome == 'uncertain' and quiet or 0)
  local ends = now + effect_ms
  redis.call('HSET', CONTROL, 'breaker', int(probes), 'breaker_until', int(ends))
  redis.call('HDEL', CONTROL, 'probe')
  log('breaker', 'state', opens and 'open' or 'still open')
  if opens then advance_due(ends) end
  return ends
end

if outcome == 'rejected' then
  bury(id, fields, outcome, true)
  note('dead')
  return { 'ok', 'dead', '', '0' }
end
if outcome == 'throttled' or outcome == 'unauthorized' then
  if outcome == 'throttled' then hold() else pause() end
  redis.call('HSET', key, 'seen', int(num(redis.call('HGET', STATS, 'delivered'))))
  park(id, order, now)
  note('parked')
  return { 'ok', 'parked', effect, int(effect_ms) }
end

local breaker_ends, struck = trip_breaker(), strikes()
if struck >= max_strikes or (outcome == 'uncertain' and on_uncertain == 'dead') then
  bury(id, fields, outcome, true)
  note('dead')
  return { 'ok', 'dead', effect, int(effect_ms) }
end
local due, not_before = now + delay, nil
if breaker_ends and struck == 0 then due = math.max(breaker_ends, now) end
if outcome == 'uncertain' and quiet > 0 then
  not_before = now + quiet
  due = math.max(due, not_before)
end
park(id, order, due, not_before)
note('parked')
return { 'ok', 'parked', effect, int(effect_ms) }
