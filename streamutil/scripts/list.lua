-- list: a page of what is not finished, oldest first. Reads only.
--
-- ARGV: which (waiting, in_flight, parked, pending for the last two together, or
--   nothing for all), the entry to go on after, how many at most, whether bodies
--   are wanted (0|1), and with pending a consumer's name: only what it has.
-- Result: rows of entry, order, state, who has it, whether that lives (0|1), ms
--   since it was taken or parked, ms until it is due, accepted, attempts, outcome
--   and status of the last one, number, body; then the outlook if any of them waits.
--
-- A page is one moment: nothing is shown twice or missed because it moved
-- meanwhile. Its cost does not grow with the backlog.

local which, after, many, bodies, name = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1', ARGV[5]
local pending = redis.pcall('XPENDING', STREAM, GROUP)
if pending.err and not string.find(pending.err, 'NOGROUP', 1, true) then return pending end
local grouped = not pending.err

local function from_stream(from)
  local page = {}
  for _, e in ipairs(redis.call('XRANGE', STREAM, '(' .. from, '+', 'COUNT', many)) do
    local p = grouped and redis.call('XPENDING', STREAM, GROUP, e[1], e[1], 1)[1] or {}
    page[#page + 1] = { id = e[1], fields = map(e[2]), who = p[2], idle = p[3] }
  end
  return page
end

local function from_pending(...)
  local page = {}
  for _, p in ipairs(grouped and redis.call('XPENDING', STREAM, GROUP, '(' .. after, '+', many, ...) or {}) do
    page[#page + 1] = { id = p[1], who = p[2], idle = p[3] }
  end
  return page
end

-- What is parked may stand between by the thousand, so each consumer is asked. The
-- parts of an ID are taken apart once, and not again for each comparison.
local function flying()
  local page = {}
  for _, h in ipairs(grouped and pending[4] or {}) do
    for _, p in ipairs(h[1] ~= PARKED and from_pending(h[1]) or {}) do
      local ms, seq = string.match(p.id, '^(%d+)%-(%d+)$')
      p.ms, p.seq = tonumber(ms), tonumber(seq)
      page[#page + 1] = p
    end
  end
  table.sort(page, function(a, b) return a.ms < b.ms or a.ms == b.ms and a.seq < b.seq end)
  for i = #page, many + 1, -1 do page[i] = nil end
  return page
end

local function page()
  if which == 'in_flight' then return flying() end
  if which == 'parked' then return from_pending(PARKED) end
  if which == 'pending' and name == '' then return from_pending() end
  if which == 'pending' then return from_pending(name) end
  local read = which == 'waiting' and grouped and last_read() or after
  return from_stream(before(after, read) and read or after)
end

local now, _, wall = peek_time()

local function lives(consumer_name)
  local c = consumer(consumer_name)
  return c and wall - num(c.seen) < num(c.lease) / 1000
end

-- What the record of an order says; nothing of it if it is another entry's.
local function record(id, order)
  local rec = order and order ~= '' and
    redis.pcall('HMGET', record_key(order), 'entry', 'accepted', 'attempts', 'outcome', 'status')
  return rec and not rec.err and rec[1] == id and rec or {}
end

local rows, waits = {}, false
for i, e in ipairs(page()) do
  local fields = e.fields or entry(e.id) or {} -- one deleted by hand has none
  local state, due = 'waiting', 0
  if e.who == PARKED then
    state, due = 'parked', num(redis.call('ZSCORE', DUE, e.id)) - now
  elseif e.who then
    state = 'in_flight'
  end
  waits = waits or state == 'waiting'
  local rec = record(e.id, fields.id)
  rows[i] = {
    e.id, fields.id or '', state, e.who or '', e.who and lives(e.who) and 1 or 0, int(e.idle or 0),
    int(math.min(math.max(due, 0), LONGEST)), rec[2] or '', rec[3] or '', rec[4] or '', rec[5] or '',
    int(sequence(fields) or 0), bodies and fields.body or '',
  }
end
return { rows, waits and outlook() or {} }
