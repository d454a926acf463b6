-- One exchange of a process with the queue: acknowledges, puts back, moves what has come due into
-- its stream, pushes, claims. Every step may be repeated without harm, since an answer may be lost.
--
-- KEYS: known, due, then hot, normal and low stream of each kind.
-- ARGV: group, consumer, resume, numbers of ack groups, put-backs, push groups and wants, then
--       (stream, number of entries, number of tickets, entries, tickets) per ack group, where there
--         are entries for all of the tickets or for none, or no tickets at all,
--       (stream, ticket, entry, delay in ms) per put-back,
--       (stream, number of tickets, tickets) per push group,
--       (hot stream, of hot, of normal, of low) per want.
-- Groups because a call for many is much cheaper than a call for each, and because what is passed
-- on without being looked at is cheaper still. The caller bounds them: `unpack` has to fit.
-- Returns: pushes taken, put-backs taken, why not the rest, whether groups were missing, tickets
--       known, how many of the portions had been claimed before, ms until the next put-back comes
--       due or -1, length of the streams by kind, portions claimed (stream, entries as read).
local known, due, first = KEYS[1], KEYS[2], 3
local group, me, resume = ARGV[1], ARGV[2], ARGV[3] == '1'
local acks, puts, pushes, wants =
  tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local at = 7
local function arg()
  at = at + 1
  return ARGV[at]
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local why, fresh = '', 0

-- Nil when it was added, else why not; never half.
local function add(stream, ticket)
  local entry = redis.pcall('XADD', KEYS[stream], '*', 't', ticket)
  if type(entry) == 'table' then
    return entry.err
  end
  local kept = redis.pcall('HSET', known, ticket, entry)
  if type(kept) == 'table' then
    redis.call('XDEL', KEYS[stream], entry)
    return kept.err
  end
end

-- Whatever stands as the entry: a wrong one must not hold up the exchange for ever.
local function remove(stream, entry)
  redis.pcall('XACK', KEYS[stream], group, entry)
  redis.pcall('XDEL', KEYS[stream], entry)
end

-- Takes a ticket's entries away: the one that was read, and the one that is known.
local function take(stream, ticket, entry)
  if entry ~= '' then
    remove(stream, entry)
  end
  local there = redis.call('HGET', known, ticket)
  if there and there ~= 'due' and there ~= entry then
    remove(stream, there)
  end
end

-- Whether a push is possible again. Before all other writes: Redis lets a script that has written go
-- on writing, however full it is.
if resume then
  local entry = redis.pcall('XADD', KEYS[first], '*', 't', 'probe')
  local kept = entry
  if type(entry) ~= 'table' then
    kept = redis.pcall('HSET', known, 'probe', '')
    redis.call('XDEL', KEYS[first], entry)
  end
  if type(kept) == 'table' then
    why = kept.err
  else
    redis.call('HDEL', known, 'probe')
  end
end

for _ = 1, acks do
  local stream, n, m = tonumber(arg()), tonumber(arg()), tonumber(arg())
  local entries, tickets = at, at + n
  at = tickets + m
  if n > 0 then
    redis.call('XACK', KEYS[stream], group, unpack(ARGV, entries + 1, tickets))
    redis.call('XDEL', KEYS[stream], unpack(ARGV, entries + 1, tickets))
  end
  if m > 0 then
    for i, there in ipairs(redis.call('HMGET', known, unpack(ARGV, tickets + 1, at))) do
      if there == 'due' then
        redis.call('ZREM', due, stream .. ' ' .. ARGV[tickets + i])
      elseif there and (n == 0 or there ~= ARGV[entries + i]) then
        remove(stream, there)
      end
    end
    redis.call('HDEL', known, unpack(ARGV, tickets + 1, at))
  end
end

local put = 0
for _ = 1, puts do
  local stream, ticket, entry, delay = tonumber(arg()), arg(), arg(), tonumber(arg())
  if why == '' then
    local kept = redis.pcall('ZADD', due, string.format('%.0f', now + delay), stream .. ' ' .. ticket)
    if type(kept) == 'table' then
      why = kept.err
    else
      take(stream, ticket, entry)
      redis.call('HSET', known, ticket, 'due')
      put = put + 1
    end
  end
end

local ready = redis.call('ZRANGEBYSCORE', due, '-inf', string.format('%.0f', now), 'LIMIT', 0, 200)
for _, member in ipairs(ready) do
  local stream, ticket = string.match(member, '^(%d+) (%d+:%d+:%d+)$')
  stream = tonumber(stream or '')
  -- What leadgate has not written goes.
  if why == '' and stream and stream >= first and stream <= #KEYS then
    why = add(stream, ticket) or ''
  end
  if why == '' then
    redis.call('ZREM', due, member)
  end
end

-- Whether what is known of a ticket is so: somebody may have deleted its entry, or a Redis that
-- evicts has dropped the stream. One that was put back comes due at once if its place is lost.
local function stands(stream, ticket, there)
  if there == 'due' then
    redis.pcall('ZADD', due, 'NX', string.format('%.0f', now), stream .. ' ' .. ticket)
    return true
  end
  return redis.pcall('XRANGE', KEYS[stream], there, there)[1] ~= nil
end

local taken = 0
for _ = 1, pushes do
  local stream, n = tonumber(arg()), tonumber(arg())
  local from, key = at, KEYS[stream]
  at = at + n
  local fields, kept = {}, 0
  if why == '' then
    for i, there in ipairs(redis.call('HMGET', known, unpack(ARGV, from + 1, at))) do
      local ticket = ARGV[from + i]
      if not (there and stands(stream, ticket, there)) then
        local entry = redis.pcall('XADD', key, '*', 't', ticket)
        if type(entry) == 'table' then
          why = entry.err
          break
        end
        fields[#fields + 1] = ticket
        fields[#fields + 1] = entry
      end
      kept = i
    end
  end
  if #fields > 0 then
    local answer = redis.pcall('HSET', known, unpack(fields))
    if type(answer) == 'table' then
      why, kept = answer.err, 0
      for i = 2, #fields, 2 do
        redis.call('XDEL', key, fields[i])
      end
    end
  end
  taken = taken + kept
end

local claimed = {}
-- How many were read. A stream or group that is missing (new, flushed) is made, from its beginning.
local function read(stream, n, from)
  if n == 0 then
    return 0
  end
  local command =
    { 'XREADGROUP', 'GROUP', group, me, 'COUNT', n, 'STREAMS', KEYS[stream], from }
  local answer = redis.pcall(unpack(command))
  if answer and answer.err and string.find(answer.err, 'NOGROUP', 1, true) then
    fresh = 1
    local made = redis.pcall('XGROUP', 'CREATE', KEYS[stream], group, '0', 'MKSTREAM')
    if made.err then
      why = made.err
      return 0
    end
    answer = redis.pcall(unpack(command))
  end
  if not answer then
    return 0
  end
  if answer.err then
    why = answer.err
    return 0
  end
  local entries = answer[1][2]
  claimed[#claimed + 1] = { stream, entries }
  return #entries
end

-- What this consumer was given and may not have heard of.
if resume then
  for stream = first, #KEYS do
    read(stream, 1000, '0')
  end
end
local resumed = #claimed

local lengths_of, lengths = {}, {}
for hot = first, #KEYS, 3 do
  local length = 0
  for stream = hot, hot + 2 do
    lengths_of[stream] = redis.call('XLEN', KEYS[stream])
    length = length + lengths_of[stream]
  end
  table.insert(lengths, length)
end

-- By turns; what one priority does not use, the others get.
for _ = 1, wants do
  local hot = tonumber(arg())
  local quota, missing = {}, 0
  for rank = 0, 2 do
    quota[rank] = tonumber(arg())
    local got = 0
    if lengths_of[hot + rank] > 0 then
      got = read(hot + rank, quota[rank], '>')
    end
    missing = missing + quota[rank] - got
    quota[rank] = got == quota[rank] and lengths_of[hot + rank] > 0
  end
  for rank = 0, 2 do
    if missing > 0 and quota[rank] then
      missing = missing - read(hot + rank, missing, '>')
    end
  end
end

local next_due = -1
local soonest = redis.call('ZRANGEBYSCORE', due, '-inf', '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
if soonest[2] then
  next_due = math.max(0, tonumber(soonest[2]) - now)
end
return { taken, put, why, fresh, redis.call('HLEN', known), resumed, next_due, lengths, claimed }
