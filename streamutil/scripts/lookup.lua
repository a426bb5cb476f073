-- lookup: where an order is. Reads only.
--
-- ARGV: order id.
-- Result: none; or found, the record's fields and values, ms until it is due
--   (-1 not parked), and of a waiting order the outlook.

local rec = redis.call('HGETALL', record_key(ARGV[1]))
if #rec == 0 then return { 'none' } end
local r = map(rec)

local state, due = present_state(r), '-1'
if state == 'parked' then
  local score = redis.call('ZSCORE', DUE, r.entry)
  if score then due = int(math.min(math.max(num(score) - peek_time(), 0), LONGEST)) end
end
return { 'found', state, rec, due, state == 'waiting' and outlook() or {} }
