-- release: hands back what was taken and not started. It is due at once, and
-- the attempt does not count.
--
-- ARGV: name, k (of the take that handed them out), then the entries.
-- Result: gone (unknown name: reclaimed already); or ok, how many were handed
--   back. What the caller no longer holds by this take is left as it is.

local name, k = ARGV[3], ARGV[4]
local failed = check_epoch()
if failed then return failed end
if not consumer(name) then return { 'gone' } end

local now, released = queue_time(), 0
for i = 5, #ARGV do
  local id = ARGV[i]
  local fields = entry(id)
  local key = fields and record_key(fields.id)
  local rec = key and redis.call('HMGET', key, 'entry', 'consumer', 'take') or {}
  if rec[1] == id and rec[2] == name and rec[3] == k and holds(name, id) then
    park(id, fields.id, now)
    add(key, 'attempts', -1)
    released = released + 1
  end
end
return { 'ok', int(released) }
