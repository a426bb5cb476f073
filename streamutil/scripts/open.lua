-- open: lets an epoch begin. Sent by a process that has watched it closed for
-- longer than any call of the epoch before can last.
--
-- ARGV: epoch.
-- Result: ok, the slot. Another epoch than the present one is left as it is.

local epoch = ARGV[3]
local failed = check_epoch()
if failed then return failed end

if redis.call('HGET', PACE, 'epoch') == epoch then redis.call('HSET', PACE, 'open', 1) end
return { 'ok', slot_view() }
