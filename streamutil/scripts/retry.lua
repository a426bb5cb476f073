-- retry: a parked order need not wait any longer.
--
-- ARGV: who, why, order.
-- Result: none; or found, the state that it was in. Only a parked one is changed.

local who, why, order = ARGV[3], ARGV[4], ARGV[5]
local key = record_key(order)
local rec = map(redis.call('HGETALL', key))
if not rec.entry then return { 'none' } end

local state = present_state(rec)
if state == 'parked' then
  redis.call('ZADD', DUE, int(queue_time()), rec.entry)
  redis.call('HDEL', key, 'not_before')
  log('retry', 'order', order, 'who', who, 'why', why)
end
return { 'found', state }
