-- purge: takes many entries out of the queue that nobody is sending, each as cancel
-- does. An entry that is no order's own goes without a trace: no record is its.
--
-- ARGV: who, why, retention (ms), what to log (begun, ended or nothing), of how many,
--   then the entries.
-- Result: for each entry cancelled, removed (it was no order's), in_flight, or gone.

local who, why, retention, state, total = ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]

local function purge(id)
  local fields = entry(id)
  if not fields then return 'gone' end
  local with = holder(id)
  if with and with ~= PARKED then return 'in_flight' end
  local key = valid_order_id(fields.id) and record_key(fields.id)
  local rec = key and map(redis.call('HGETALL', key)) or {}
  local state = rec.entry == id and present_state(rec)
  if state ~= 'waiting' and state ~= 'parked' then
    remove_entry(id)
    return 'removed'
  end
  finish_order(key, rec, state, 'cancelled', retention)
  redis.call('HSET', key, 'purged_by', who, 'purged_why', why) -- a line of the log for each would leave no room there
  return 'cancelled'
end

local answers = {}
for i = 8, #ARGV do answers[#answers + 1] = purge(ARGV[i]) end
if state ~= '' then log('purge', 'state', state, 'orders', total, 'who', who, 'why', why) end
return answers
