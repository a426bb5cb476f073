-- leave: a consumer says goodbye. Its name goes, so no take of it can act any more.
--
-- ARGV: name.
-- Result: ok, entries still pending under the name; they become due once it has
--   been watched for a lease. DELCONSUMER with pending entries would lose them.

local name = ARGV[3]
local failed = check_epoch()
if failed then return failed end

redis.call('HDEL', CONSUMERS, name)
set_base_pace()
local left = #held_by(name)
if left == 0 then redis.call('XGROUP', 'DELCONSUMER', STREAM, GROUP, name) end
return { 'ok', int(left) }
