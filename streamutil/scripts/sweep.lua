-- sweep: finds again what was read and is with nobody, because someone
-- acknowledged it or deleted its consumer by hand.
--
-- ARGV: the entry to go on after (0-0: from the first), entries to look at.
-- Result: ok, how many were found, the entry to go on after (0-0: that was all).
--
-- Finished entries leave the stream, so what the group has read is pending or
-- lost. A lost one goes back to the consumer that is sending it, if that lives:
-- made due, it would be sent twice at once.

local from, many = ARGV[3], ARGV[4]
local failed = check_epoch()
if failed then return failed end

local function find_again(id, fields)
  local rec = redis.call('HMGET', record_key(fields.id or ''), 'entry', 'consumer')
  local name = rec[1] == id and rec[2] and consumer(rec[2]) and rec[2] or PARKED
  redis.call('XCLAIM', STREAM, GROUP, name, 0, id, 'FORCE', 'JUSTID')
  if name == PARKED then
    redis.call('ZADD', DUE, 'NX', int(queue_time()), id)
    if rec[1] == id then park(id, fields.id, redis.call('ZSCORE', DUE, id)) end
  end
  log('found', 'entry', id, 'order', fields.id or '', 'consumer', name)
end

local last, found, next = last_read(), 0, '0-0'
local page = redis.call('XRANGE', STREAM, '(' .. from, last, 'COUNT', many)
for _, e in ipairs(page) do
  if not holder(e[1]) then
    find_again(e[1], map(e[2]))
    found = found + 1
  end
end
if #page == tonumber(many) then next = page[#page][1] end
return { 'ok', int(found), next }
