-- settle: what an attempt meant, with all that follows from it, in one step.
--
-- ARGV: name, k (of the take that handed the entry out), entry, order,
--   outcome, delay (ms until it is due again, if it is), status and answer of
--   the partner, on_uncertain (retry|dead), retention (ms).
-- Result: ok, the order's state now; or stray, its state: the caller no longer
--   holds the entry, and nothing changed.
--
-- delivered always counts, by order id: from anyone, when the entry or the
-- group is gone, over dead and cancelled, for the order *was* delivered. All
-- else acts only for whoever holds the entry by this very take, so it may be
-- repeated and may come late.

local name, k, id, order, outcome = ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local delay, status, answer = tonumber(ARGV[8]), ARGV[9], ARGV[10]
local on_uncertain, retention = ARGV[11], ARGV[12]
local failed = check_epoch()
if failed then return failed end

local key = record_key(order)
local rec = map(redis.call('HGETALL', key))
local now = queue_time()

local function note(state)
  log('attempt', 'order', order, 'outcome', outcome, 'state', state, 'status', status,
    'attempt', rec.attempts or 0, 'consumer', name)
end

-- Removes an entry if it is this order's: IDs can be issued again after a failover.
local function remove_own(entry_id)
  local fields = entry_id and entry_id ~= '' and entry(entry_id)
  if fields and fields.id == order then remove_entry(entry_id) end
end

if outcome == 'delivered' then
  remove_own(id)
  if rec.state == 'delivered' then return { 'ok', 'delivered' } end
  if rec.entry ~= id then remove_own(rec.entry) end
  if rec.state == 'dead' or rec.state == 'cancelled' then
    redis.call('HINCRBY', STATS, rec.state, -1)
    if rec.letter then redis.call('XDEL', DEAD, rec.letter) end
  end
  redis.call('HSET', key, 'entry', rec.entry or id, 'state', 'delivered', 'outcome', outcome,
    'status', status, 'answer', answer, 'finished', int(wall_time()))
  redis.call('HDEL', key, 'consumer', 'take', 'letter')
  redis.call('PEXPIRE', key, retention)
  redis.call('HINCRBY', STATS, 'delivered', 1)
  note('delivered')
  return { 'ok', 'delivered' }
end

local fields = entry(id)
local ours = fields and fields.id == order and rec.entry == id
  and rec.consumer == name and rec.take == k and holds(name, id)
if not ours then return { 'stray', rec.state or '' } end

redis.call('HSET', key, 'outcome', outcome, 'status', status, 'answer', answer)
if outcome == 'rejected' or (outcome == 'uncertain' and on_uncertain == 'dead') then
  bury(id, fields, outcome, true)
  note('dead')
  return { 'ok', 'dead' }
end
park(id, order, now + delay)
note('parked')
return { 'ok', 'parked' }
