-- records: a part of the records of orders that are finished, in no order. Reads only.
--
-- A record may come twice, and one that is written meanwhile may be missing, as with
-- any SCAN.
--
-- ARGV: the cursor (0 begins), how many keys to look at.
-- Result: the next cursor (0: that was all); then for each order its id, how long it is
--   kept yet (ms), its record's fields and values.

local prefix = record_key('')
local found = redis.call('SCAN', ARGV[1], 'MATCH', prefix .. '*', 'COUNT', ARGV[2])
local records = {}
for _, key in ipairs(found[2]) do
  local order = string.sub(key, #prefix + 1)
  -- The state alone first: of a long queue nearly all have not ended. It is a table
  -- where somebody wrote over a record.
  local state = valid_order_id(order) and redis.pcall('HGET', key, 'state')
  if state == 'delivered' or state == 'cancelled' or (state == 'dead' and not redis.call('HGET', key, 'letter')) then
    records[#records + 1] = { order, int(redis.call('PTTL', key)), redis.call('HGETALL', key) }
  end
end
return { found[1], records }
