-- started: the last call that a grant allowed has begun.
--
-- ARGV: epoch, slot.
-- Result: ok, the slot. Acts only on the exact present grant; late or repeated
-- it changes nothing.

local epoch, slot = ARGV[3], ARGV[4]
local failed = check_epoch()
if failed then return failed end

local p = redis.call('HMGET', PACE, 'epoch', 'slot', 'holder')
-- Slot 0 of an epoch belongs to nobody: nothing can be said to have used it.
if p[1] == epoch and p[2] == slot and p[3] then redis.call('HSET', PACE, 'state', 'started') end
return { 'ok', slot_view() }
