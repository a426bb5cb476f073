-- lookup: where an order is. Reads only.
--
-- ARGV: order id.
-- Result: none; or found, the record's fields and values, ms until it is due
--   (-1 not parked), position, interval (µs), hold left (ms), wall clock (ms).

local rec = redis.call('HGETALL', record_key(ARGV[1]))
if #rec == 0 then return { 'none' } end
local r = map(rec)

local state, due = present_state(r), '-1'
if state == 'parked' then
  local score = redis.call('ZSCORE', DUE, r.entry)
  if score then due = int(math.max(score - peek_time(), 0)) end
end
local p = state == 'waiting' and place(num(r.seq)) or { '0', '-1', '0', int(wall_time()) }
return { 'found', state, rec, due, p[1], p[2], p[3], p[4] }
