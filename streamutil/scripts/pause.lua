-- pause: nobody sends until somebody resumes, or for a while. Orders are accepted
-- all the same.
--
-- ARGV: who, why, for how long (ms, 0 until resumed).
-- Result: ok.

local who, why, ms = ARGV[3], ARGV[4], tonumber(ARGV[5])

redis.call('HSET', CONTROL, 'paused', 'paused', 'pause_who', who, 'pause_why', why)
if ms > 0 then
  redis.call('HSET', CONTROL, 'pause_until', int(queue_time() + ms))
else
  redis.call('HDEL', CONTROL, 'pause_until')
end
log('pause', 'who', who, 'why', why, 'ms', int(ms))
return { 'ok' }
