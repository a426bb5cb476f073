-- reclaim: makes due what a dead consumer had in flight, and forgets its name.
--
-- ARGV: name, beat (as it stood still), most deaths.
-- Result: alive (the beat has moved); or ok, entries made due, entries buried.
--
-- A name that is not registered has beat -1. An order whose consumers died
-- while they had it, so many times, is dead with the reason poison.

local name, beat, max_deaths = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local failed = check_epoch()
if failed then return failed end

local c = consumer(name)
if name == PARKED or (c and c.beat or -1) ~= beat then return { 'alive' } end

local now, due, buried = queue_time(), 0, 0
for _, id in ipairs(held_by(name)) do
  local fields = make_due(id, now)
  if fields and redis.call('HINCRBY', record_key(fields.id), 'deaths', 1) >= max_deaths then
    bury(id, fields, 'poison', true)
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
