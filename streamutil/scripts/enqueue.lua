-- enqueue: accepts orders, each once, in the order in which they are given.
--
-- Runs without a flags line, so that at full memory it still recognises
-- duplicates and refuses only what is new.
--
-- ARGV: most entries, whether the outlook is wanted (1 or empty); then for each order
--   its id, body, hash of the body, trace parent.
-- Result: the outlook or nothing; then for each order accepted|duplicate, entry,
--   state, number; or full; or conflict, entry, state; or failed and Redis's error,
--   before anything was written of it.

local max = tonumber(ARGV[1])
local stats = redis.call('HMGET', STATS, 'seq', 'accepted')
local seq, accepted = num(stats[1]), num(stats[2])
local length, now = redis.call('XLEN', STREAM), int(wall_time())

-- The answer to an order that is known; nil if it is to be accepted all the same.
local function known(key, hash, rec)
  -- A record that take.lua had to make anew has no hash: its id says it is the same.
  if rec.hash and rec.hash ~= hash then return { 'conflict', rec.entry, rec.state } end
  local state = present_state(rec)
  -- Its entry was deleted by hand before it was sent: submitting it again is the
  -- way to have it sent.
  if state ~= rec.state and state == 'cancelled' then return end
  touch(key)
  return { 'duplicate', rec.entry, state, int(num(rec.seq)) }
end

local function enqueue(order, body, hash, trace)
  local key = record_key(order)
  local fields = redis.pcall('HGETALL', key)
  if fields.err then return { 'failed', fields.err } end
  if #fields > 0 then
    local rec = map(fields)
    local answer = rec.entry and known(key, hash, rec)
    if answer then return answer end
  end
  if length >= max then return { 'full' } end

  local id = append(order, body, trace, seq + 1)
  if type(id) ~= 'string' then return { 'failed', id.err } end
  seq, accepted, length = seq + 1, accepted + 1, length + 1
  if #fields > 0 then redis.call('DEL', key) end
  local number = int(seq)
  redis.call('HSET', key, 'entry', id, 'hash', hash, 'seq', number, 'state', 'waiting', 'attempts', 0, 'accepted', now)
  return { 'accepted', id, 'waiting', number }
end

local answers, before = { {} }, seq
for i = 3, #ARGV, 4 do answers[#answers + 1] = enqueue(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]) end
if seq > before then redis.call('HSET', STATS, 'seq', int(seq), 'accepted', int(accepted)) end
-- Last, for what was accepted may be what need not wait for the breaker.
if ARGV[2] ~= '' then answers[1] = outlook() end
return answers
