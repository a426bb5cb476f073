-- heartbeat: a consumer's sign of life, and its look at everybody else's.
--
-- ARGV: name, beat (its own rising number), pace (µs), what keeps it from its
--   work (a word for people, or empty).
-- Result: gone; or ok, the slot, entries parked and due, and a list of
--   {name, beat, lease (µs)}. A name that holds entries without being
--   registered is listed with beat -1 and lease 0.

local name, beat, pace = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local failed = check_epoch()
if failed then return failed end

local me = consumer(name)
if not me then return { 'gone' } end

-- The larger, so that a late beat sets nothing back.
me.beat = math.max(me.beat, beat)
me.pace, me.seen, me.trouble = pace, wall_time(), ARGV[6]
keep_consumer(name, me)
set_base_pace()

local beats, known = {}, {}
local all = redis.call('HGETALL', CONSUMERS)
for i = 1, #all, 2 do
  local c = identity_of(all[i + 1]) or { beat = -1, lease = 0 }
  known[all[i]] = true
  beats[#beats + 1] = { all[i], int(c.beat), int(c.lease) }
end
for _, h in ipairs(holders()) do
  if h[1] ~= PARKED and not known[h[1]] then beats[#beats + 1] = { h[1], '-1', '0' } end
end
local due = redis.call('ZCOUNT', DUE, '-inf', int(queue_time()))
return { 'ok', slot_view(), int(due), beats }
