-- enqueue: accepts an order, once.
--
-- Runs without a flags line, so that at full memory it still recognises
-- duplicates and refuses only what is new.
--
-- ARGV: order id, body, hash of the body, trace parent, most entries.
-- Result: accepted|duplicate, entry, state, position, interval (µs, -1 not known),
--   hold left (ms), wall clock (ms); or full; or conflict, entry, state.
-- Errors: OOM, before anything was written.

local order, body, hash, trace, max = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local key = record_key(order)

local function reply(status, id, state, seq)
  local p = state == 'waiting' and place(num(seq)) or { '0', '-1', '0', int(wall_time()) }
  return { status, id, state, p[1], p[2], p[3], p[4] }
end

-- A write that changes nothing and needs no memory: WAIT vouches only for a
-- connection that wrote.
local function touch()
  local left = redis.call('PTTL', key)
  redis.call('PEXPIRE', key, left > 0 and left or 1000000000)
  if left < 0 then redis.call('PERSIST', key) end
end

local rec = map(redis.call('HGETALL', key))
if rec.entry then
  -- A record that take.lua had to make anew has no hash: its id says it is the same.
  if rec.hash and rec.hash ~= hash then return { 'conflict', rec.entry, rec.state } end
  local state = present_state(rec)
  if state == rec.state or state ~= 'cancelled' then
    touch()
    return reply('duplicate', rec.entry, state, rec.seq)
  end
  -- Its entry was deleted by hand before it was sent: submitting it again is
  -- the way to have it sent.
end
if redis.call('XLEN', STREAM) >= max then return { 'full' } end

local id, seq = append(order, body, trace)
add(STATS, 'accepted', 1)
redis.call('DEL', key)
redis.call('HSET', key, 'entry', id, 'hash', hash, 'seq', seq, 'state', 'waiting',
  'attempts', 0, 'accepted', int(wall_time()))
return reply('accepted', id, 'waiting', seq)
