-- source_list_read: gives items of a list from one of its ends, and takes none.
--
-- It runs on Redis 2.6 and later: no flags line, no newer command.
--
-- KEYS: the list; the count of what was removed from it. ARGV: tail or head, how many
--   items to pass over, most items, most bytes (a larger item comes alone).
-- Result: the key's type, the list's length, the count, and the items, the one at the
--   end first.

local list, side, tail = KEYS[1], KEYS[2], ARGV[1] == 'tail'
local skip, most, bytes = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

local kind = redis.call('TYPE', list).ok
if kind ~= 'list' then return { kind, 0, redis.call('GET', side) or '0', {} } end

-- A part of the list, the end first.
local function part(from, count)
  if not tail then return redis.call('LRANGE', list, from, from + count - 1) end
  local items, turned = redis.call('LRANGE', list, -from - count, -from - 1), {}
  for i = #items, 1, -1 do turned[#turned + 1] = items[i] end
  return turned
end

-- The parts grow with what is known of the items' sizes, so that little is read in vain.
local items, size, largest, step, full = {}, 0, 1, 1, false
while #items < most and not full do
  local found = part(skip + #items, math.min(step, most - #items))
  if #found == 0 then break end
  for _, item in ipairs(found) do
    full = full or (#items > 0 and size + #item > bytes)
    if not full then
      items[#items + 1], size, largest = item, size + #item, math.max(largest, #item)
    end
  end
  step = math.max(1, math.min(step * 2, math.floor((bytes - size) / largest)))
end
return { kind, redis.call('LLEN', list), redis.call('GET', side) or '0', items }
