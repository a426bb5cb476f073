-- import: puts orders in, each once, with what a backup or another system knows of
-- them. What the queue knows already stays as it is, but for two things: an order
-- that is said to be delivered and still waits is not sent; and one that a purge
-- cancelled waits again if it is to be undone.
--
-- Runs without a flags line: at full memory nothing new is put in.
--
-- ARGV: who, why, retention (ms), what to log (begun, ended or nothing), of how many;
--   then for each order its id, or "~" and a mark for what is no order; its state
--   (waiting, dead, dropped, delivered or cancelled), and the values of FIELDS.
-- Result: for each put (it is in now), ended (it waited, and counts as delivered);
--   known or conflict (another body, or something that is no record), the state it has;
--   or failed and Redis's error, before anything was written of it. After one that
--   failed all do, so that a repetition keeps their order.

local who, why, retention, state, total = ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
-- id is that of a letter, which need not be an order's own; accepted and finished
-- (ms) may be empty: now; left is how long (ms) a finished one's record is kept;
-- undo is 1 if what a purge cancelled is to wait again.
local FIELDS = { 'id', 'body', 'hash', 'trace', 'accepted', 'finished', 'attempts', 'outcome', 'status', 'answer',
  'reason', 'entry', 'raw', 'left', 'undo' }

local stats = redis.call('HMGET', STATS, 'seq', 'accepted')
local seq, accepted = num(stats[1]), num(stats[2])
local began, dead, now = seq, 0, int(wall_time())

-- The answer for an order that is known; nil if it is to be put in all the same, and
-- whether that undoes a purge.
local function known(key, rec, wanted, o)
  if rec.hash and o.hash ~= '' and rec.hash ~= o.hash then return { 'conflict', rec.state } end
  local state = present_state(rec)
  if wanted == 'delivered' and (state == 'waiting' or state == 'parked') then
    finish_order(key, rec, state, 'delivered', retention)
    return { 'ended' }
  end
  if wanted == 'waiting' and state == 'cancelled' then
    if state ~= rec.state then return end -- its entry was deleted by hand before it was sent
    if o.undo == '1' and rec.purged_by then return nil, true end
  end
  touch(key)
  return { 'known', state }
end

-- Each of these writes first what can fail, and returns Redis's error.

local function put_waiting(order, o)
  local id = append(order, o.body, o.trace, seq + 1)
  if type(id) ~= 'string' then return id end
  seq, accepted = seq + 1, accepted + 1
  local key = record_key(order)
  redis.call('DEL', key)
  redis.call('HSET', key, 'entry', id, 'hash', o.hash, 'seq', int(seq), 'state', 'waiting', 'attempts', 0,
    'accepted', o.accepted, 'sent', o.attempts)
end

-- The letter keeps its time, which is its id, where nothing newer is there.
local function put_dead(key, o)
  local letter
  for _, at in ipairs({ o.finished .. '-*', '*' }) do
    letter = redis.pcall('XADD', DEAD, at, 'id', o.id, 'body', o.body, 'reason', o.reason, 'status', o.status,
      'answer', o.answer, 'attempts', o.attempts, 'entry', o.entry, 'trace', o.trace, 'raw', o.raw)
    if type(letter) == 'string' then break end
  end
  if type(letter) ~= 'string' then return letter end
  dead = dead + 1
  redis.call('HSET', key, 'entry', o.entry, 'state', 'dead', 'letter', letter, 'finished', o.finished)
  return nil, letter
end

local lost -- why one failed

local function put(order, wanted, o)
  if lost then return { 'failed', lost } end
  local key = record_key(order)
  local fields = redis.pcall('HGETALL', key)
  if fields.err then return { 'conflict', '' } end
  local rec = map(fields)
  local answer, undone
  if rec.entry then answer, undone = known(key, rec, wanted, o) end
  if answer then return answer end

  local failed
  if wanted == 'waiting' then
    failed = put_waiting(order, o)
  elseif wanted == 'dead' then
    failed = put_dead(key, o)
  else
    local state = wanted == 'dropped' and 'dead' or wanted
    failed = redis.pcall('HSET', key, 'entry', o.entry, 'state', state, 'finished', o.finished)
    failed = type(failed) == 'table' and failed or nil
  end
  if failed then
    lost = failed.err
    return { 'failed', lost }
  end
  if undone then
    add(STATS, 'cancelled', -1)
    accepted = accepted - 1 -- it is no new one
  end
  if wanted == 'waiting' then return { 'put' } end

  redis.call('HSET', key, 'hash', o.hash, 'accepted', o.accepted, 'attempts', o.attempts, 'outcome', o.outcome,
    'status', o.status, 'answer', o.answer)
  for _, name in ipairs({ 'hash', 'outcome', 'status', 'answer' }) do
    if o[name] == '' then redis.call('HDEL', key, name) end
  end
  if wanted == 'dead' and o.id == order then
    accepted = accepted + 1
    redis.call('PERSIST', key) -- it lives as long as its dead letter
  else
    redis.call('PEXPIRE', key, o.left)
  end
  return { 'put' }
end

local answers, width = {}, #FIELDS + 2
for i = 8, #ARGV, width do
  local o = {}
  for n, name in ipairs(FIELDS) do o[name] = ARGV[i + 1 + n] end
  for _, name in ipairs({ 'accepted', 'finished' }) do o[name] = o[name] ~= '' and o[name] or now end
  answers[#answers + 1] = put(ARGV[i], ARGV[i + 1], o)
end
if seq > began then redis.call('HSET', STATS, 'seq', int(seq)) end
if accepted ~= num(stats[2]) then redis.call('HSET', STATS, 'accepted', int(accepted)) end
if dead > 0 then add(STATS, 'dead', dead) end
if state ~= '' then log('import', 'state', state, 'orders', total, 'who', who, 'why', why) end
return answers
