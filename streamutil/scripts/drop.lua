-- drop: a person has dealt with a dead letter; it goes.
--
-- ARGV: who, why, letter, whether the partner has the order after all (0|1),
--   retention (ms).
-- Result: none (no such letter); or ok. The order's record stays for the
--   retention, dead or delivered.

local who, why, letter, delivered, retention = ARGV[3], ARGV[4], ARGV[5], ARGV[6] == '1', ARGV[7]
local found = redis.call('XRANGE', DEAD, letter, letter)[1]
if not found then return { 'none' } end
local order = map(found[2]).id or ''
local key = record_key(order)

redis.call('XDEL', DEAD, letter)
if redis.call('HGET', key, 'letter') == letter then
  redis.call('HDEL', key, 'letter')
  if delivered then
    redis.call('HSET', key, 'state', 'delivered')
    add(STATS, 'dead', -1)
    add(STATS, 'delivered', 1)
  end
  redis.call('PEXPIRE', key, retention)
end
log('drop', 'order', order, 'state', delivered and 'delivered' or 'dead', 'who', who, 'why', why)
return { 'ok' }
