-- requeue: a dead letter's order waits again, at the end of the queue, as if it
-- had never been tried.
--
-- ARGV: who, why, letter.
-- Result: none (no such letter); conflict (no order can be had from it, or the
--   order lives on without it); or ok, the new entry.
-- Errors: OOM, before anything was written.

local who, why, letter = ARGV[3], ARGV[4], ARGV[5]
local found = redis.call('XRANGE', DEAD, letter, letter)[1]
if not found then return { 'none' } end
local dead = map(found[2])
if dead.reason == 'undecodable' or not valid_order_id(dead.id) then return { 'conflict' } end
local key = record_key(dead.id)
local rec = map(redis.call('HGETALL', key))
if rec.entry and rec.letter ~= letter then return { 'conflict' } end

local seq = num(redis.call('HGET', STATS, 'seq')) + 1
local id = append(dead.id, dead.body, dead.trace or '', seq)
if type(id) ~= 'string' then return id end -- Redis's error
redis.call('HSET', STATS, 'seq', int(seq))
redis.call('HSET', key, 'entry', id, 'seq', int(seq), 'state', 'waiting', 'attempts', 0,
  'accepted', rec.accepted or int(wall_time()),
  'sent', int(num(rec.sent) + num(rec.attempts))) -- the partner may have it all the same
redis.call('HDEL', key, 'letter', 'finished', 'strikes', 'deaths', 'seen', 'not_before', 'outcome', 'status', 'answer')
redis.call('PERSIST', key)
redis.call('XDEL', DEAD, letter)
add(STATS, 'dead', -1)
log('requeue', 'order', dead.id, 'entry', id, 'who', who, 'why', why)
return { 'ok', id }
