-- pace: an operator's pace, in place of the slowest consumer's.
--
-- ARGV: who, why, interval (µs; -1 gives the queue its own pace back), for how
--   long (ms, 0 until reset).
-- Result: ok.

local who, why, t, ms = ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])

redis.call('HDEL', CONTROL, 'pace_override', 'pace_until', 'pace_who', 'pace_why')
if t >= 0 then
  redis.call('HSET', CONTROL, 'pace_override', int(t), 'pace_who', who, 'pace_why', why)
  if ms > 0 then redis.call('HSET', CONTROL, 'pace_until', int(queue_time() + ms)) end
end
log('pace', 'who', who, 'why', why, 'interval', int(t), 'ms', int(ms))
return { 'ok' }
