-- register: makes a consumer known. The only script that creates a name.
--
-- ARGV: name, identity (JSON: pace and lease in µs, host, pid, version).
-- Result: ok, the slot (see slot_view). A name that exists stays as it is.

local name, identity = ARGV[3], ARGV[4]
local failed = check_epoch(true)
if failed then return failed end
if found < SCHEMA then redis.call('HSET', CONTROL, 'schema', SCHEMA) end

if not consumer(name) then
  local c = cjson.decode(identity)
  c.beat, c.k, c.start = 0, 0, wall_time()
  c.seen = c.start
  keep_consumer(name, c)
  set_base_pace()
end
queue_time()
return { 'ok', slot_view() }
