-- cancel: takes an order out of the queue before it is sent, or sent again.
--
-- ARGV: who, why, order, retention (ms).
-- Result: none; refused, its state (in flight or final); or ok, the state that it
--   was in; with both how often it was handed out: more than never, and the
--   partner may have it.

local who, why, order, retention = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local key = record_key(order)
local rec = map(redis.call('HGETALL', key))
if not rec.entry then return { 'none' } end

local state = present_state(rec)
local attempts = int(num(rec.attempts) + num(rec.sent)) -- of before it was requeued, too
if state ~= 'waiting' and state ~= 'parked' then return { 'refused', state, attempts } end

remove_entry(rec.entry)
redis.call('HSET', key, 'state', 'cancelled', 'finished', int(wall_time()))
redis.call('HDEL', key, 'consumer', 'take', 'not_before')
redis.call('PEXPIRE', key, retention)
add(STATS, 'cancelled', 1)
-- Its number will be missing when the queue gets there.
if state == 'waiting' and num(rec.seq) > num(redis.call('HGET', STATS, 'taken')) then add(STATS, 'skipped', 1) end
log('cancel', 'order', order, 'attempt', attempts, 'who', who, 'why', why)
return { 'ok', state, attempts }
