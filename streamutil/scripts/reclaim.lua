-- reclaim: makes due what a dead consumer had in flight, and forgets its name.
--
-- ARGV: name, beat (as it stood still), most deaths, most strikes, on_uncertain
--   (retry|dead), how long yet the partner may be at work on the calls (ms).
-- Result: alive (the beat has moved); or ok, entries made due, entries buried.
--
-- A name that is not registered has beat -1. What it had in flight may have been
-- sent: such an order is uncertain, and its consumer's death a strike. One whose
-- consumers died while they had it, so many times, is dead with the reason poison.

local name, beat, max_deaths = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local max_strikes, on_uncertain, quiet = tonumber(ARGV[6]), ARGV[7], tonumber(ARGV[8])
local failed = check_epoch()
if failed then return failed end

local c = consumer(name)
if name == PARKED or (c and c.beat or -1) ~= beat then return { 'alive' } end

local now, due, buried = queue_time(), 0, 0
local delivered = int(num(redis.call('HGET', STATS, 'delivered')))

-- Why a person has to look at an order whose consumer died; nil if it goes on.
local function fatal(key)
  redis.call('HSET', key, 'outcome', 'uncertain', 'seen', delivered)
  redis.call('HDEL', key, 'status', 'answer')
  local deaths = add(key, 'deaths', 1)
  local strikes = add(key, 'strikes', 1)
  if deaths >= max_deaths then return 'poison' end
  if strikes >= max_strikes or on_uncertain == 'dead' then return 'uncertain' end
end

for _, id in ipairs(held_by(name)) do
  local fields = make_due(id, now + quiet, quiet > 0 and now + quiet)
  local reason = fields and fatal(record_key(fields.id))
  if reason then
    bury(id, fields, reason, true)
    buried = buried + 1
  elseif fields then
    due = due + 1
  end
end

redis.call('HDEL', CONSUMERS, name)
redis.call('XGROUP', 'DELCONSUMER', STREAM, GROUP, name) -- nothing is pending under it any more
set_base_pace()
log('reclaim', 'consumer', name, 'due', int(due), 'dead', int(buried))
return { 'ok', int(due), int(buried) }
