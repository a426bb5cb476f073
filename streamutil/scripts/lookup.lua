-- lookup: where an order is. Reads only.
--
-- ARGV: order id.
-- Result: none; or found, the record's fields and values, ms until it is due
--   (-1 not parked), position, interval (µs), hold left (ms), wall clock (ms).

local rec = redis.call('HGETALL', record_key(ARGV[1]))
if #rec == 0 then return { 'none' } end
local r = map(rec)

local state, due = r.state, '-1'
if state == 'in_flight' or state == 'parked' then
  -- The pending list is the truth: a group created again has taken nothing yet.
  local pending = redis.pcall('XPENDING', STREAM, GROUP, r.entry, r.entry, 1)
  if pending.err or not pending[1] then
    state = 'waiting'
  elseif state == 'parked' then
    local score = redis.call('ZSCORE', DUE, r.entry)
    if score then due = int(math.max(score - peek_time(), 0)) end
  end
end
local p = state == 'waiting' and place(tonumber(r.seq or 0)) or { '0', '-1', '0', int(wall_time()) }
return { 'found', state, rec, due, p[1], p[2], p[3], p[4] }
