-- pace: an operator's pace, in place of the slowest consumer's. Giving back what was
-- not taken away writes no line into the log.
--
-- ARGV: who, why, interval (µs; -1 gives the queue its own pace back), for how
--   long (ms, 0 until reset).
-- Result: ok.

local who, why, t, ms = ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])

local was = redis.call('HMGET', CONTROL, 'pace_override', 'pace_until')
local ends = num(was[2])
local in_force = was[1] and (ends == 0 or ends > queue_time())

redis.call('HDEL', CONTROL, 'pace_override', 'pace_until', 'pace_who', 'pace_why')
if t >= 0 then
  redis.call('HSET', CONTROL, 'pace_override', int(t), 'pace_who', who, 'pace_why', why)
  if ms > 0 then redis.call('HSET', CONTROL, 'pace_until', int(queue_time() + ms)) end
end
if t >= 0 or in_force then log('pace', 'who', who, 'why', why, 'interval', int(t), 'ms', int(ms)) end
return { 'ok' }
