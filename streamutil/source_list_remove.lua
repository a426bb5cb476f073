-- source_list_remove: takes exactly those items out of a list that were read from
-- one of its ends, and counts them.
--
-- If somebody else has taken some of them, or put others before them, then those
-- that are still there are taken out, and the others stay in their order. The count
-- grows by all of them, for all of them are dealt with: what is left keeps numbers
-- that nothing had before it.
--
-- It runs on Redis 2.6 and later. LTRIM comes before all that a full memory refuses.
--
-- KEYS: the list; the count. ARGV: tail or head, the count as it was read, the items,
--   the one at the end first.
-- Result: removed; again, if a repetition finds it done; count and the count, if another
--   import has gone on; or others and which items were not there any more, from 1.

local list, side, tail = KEYS[1], KEYS[2], ARGV[1] == 'tail'
local before, first, n = tonumber(ARGV[2]), 3, #ARGV - 2
local count = tonumber(redis.call('GET', side) or '0')
if count == before + n then return { 'again' } end
if count ~= before then return { 'count', tostring(count) } end

-- So many items of the list, the end first.
local function window(size)
  if not tail then return redis.call('LRANGE', list, 0, size - 1) end
  local items, turned = redis.call('LRANGE', list, -size, -1), {}
  for i = #items, 1, -1 do turned[#turned + 1] = items[i] end
  return turned
end

local function trim(size)
  if tail then
    redis.call('LTRIM', list, 0, -size - 1)
  else
    redis.call('LTRIM', list, size, -1)
  end
end

local there, same = window(n), true
for i = 1, n do same = same and there[i] == ARGV[first + i - 1] end
if same then
  trim(n)
  redis.call('INCRBY', side, n)
  return { 'removed' }
end

there = window(2 * n)
local places = {}
for i, item in ipairs(there) do
  places[item] = places[item] or {}
  table.insert(places[item], i)
end
local gone, missing = {}, {}
for i = 1, n do
  local of = places[ARGV[first + i - 1]]
  if of and #of > 0 then
    gone[table.remove(of, 1)] = true
  else
    missing[#missing + 1] = i
  end
end
if #missing < n then
  trim(#there)
  for i = #there, 1, -1 do
    if not gone[i] then redis.call(tail and 'RPUSH' or 'LPUSH', list, there[i]) end
  end
end
redis.call('INCRBY', side, n)
return { 'others', missing }
