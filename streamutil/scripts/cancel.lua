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
-- It may be the first cancellation that nobody has confirmed yet.
if state == 'cancelled' then touch(key) end
if state ~= 'waiting' and state ~= 'parked' then return { 'refused', state, attempts } end

finish_order(key, rec, state, 'cancelled', retention)
log('cancel', 'order', order, 'attempt', attempts, 'who', who, 'why', why)
return { 'ok', state, attempts }
