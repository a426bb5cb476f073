-- resume: ends whatever keeps the queue from sending: a pause, a hold, an open
-- breaker. What an outage has parked is due at once. If nothing does, it says so and
-- writes no line into the log.
--
-- ARGV: who, why.
-- Result: ok, what was ended: paused or credentials, hold, breaker.

local who, why = ARGV[3], ARGV[4]
local now, ended = queue_time(), {}

local paused = redis.call('HMGET', CONTROL, 'paused', 'pause_until')
local ends = num(paused[2])
if paused[1] and (ends == 0 or ends > now) then ended[#ended + 1] = paused[1] end
if num(redis.call('HGET', CONTROL, 'hold_until')) > now then ended[#ended + 1] = 'hold' end
redis.call('HDEL', CONTROL, 'paused', 'pause_until', 'pause_who', 'pause_why', 'hold_until')
if close_breaker(now) then ended[#ended + 1] = 'breaker' end
if #ended > 0 then log('resume', 'who', who, 'why', why) end
return { 'ok', ended }
