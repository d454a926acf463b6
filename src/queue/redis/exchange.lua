-- One exchange of a process with the queue: acknowledges, puts back, moves what has come due into
-- its stream, pushes, claims. Every step may be repeated without harm, since an answer may be lost.
--
-- KEYS: known, due, then hot, normal and low stream of each kind.
-- ARGV: group, consumer, resume, numbers of acks, put-backs, pushes and wants, then
--       (stream, ticket, entry) per ack, (stream, ticket, entry, delay in ms) per put-back,
--       (stream, ticket) per push, (hot stream, of hot, of normal, of low) per want.
-- Returns: pushes taken, put-backs taken, why not the rest, whether groups were missing, tickets
--       known, how many of the claimed had been claimed before, ms until the next put-back comes due
--       or -1, length of the streams by kind, claimed (stream, entry, ticket) one after the other.
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
  local kept = redis.pcall('HSET', known, ticket, stream .. ' ' .. entry)
  if type(kept) == 'table' then
    redis.call('XDEL', KEYS[stream], entry)
    return kept.err
  end
end

local function remove(stream, entry)
  redis.call('XACK', KEYS[stream], group, entry)
  redis.call('XDEL', KEYS[stream], entry)
end

-- Takes a ticket's entries away: the one that was read, and the one that is known.
local function take(stream, ticket, entry)
  if entry ~= '' then
    remove(stream, entry)
  end
  local there = redis.call('HGET', known, ticket)
  if there and there ~= 'due' and there ~= stream .. ' ' .. entry then
    local other, id = string.match(there, '^(%d+) (.+)$')
    remove(tonumber(other), id)
  end
  return there
end

-- In groups: a call for many is much cheaper than a call for each.
local GROUP_OF = 200

-- What is known of the tickets of a group, one answer each.
local function known_of(tickets)
  return redis.call('HMGET', known, unpack(tickets))
end

-- Whether a write is possible again. Before all others: Redis lets a script that has written go on
-- writing, however full it is.
if resume then
  local kept = redis.pcall('HSET', known, 'probe', '')
  if type(kept) == 'table' then
    why = kept.err
  else
    redis.call('HDEL', known, 'probe')
  end
end

local left = acks
while left > 0 do
  local n = math.min(left, GROUP_OF)
  left = left - n
  local streams, tickets, entries, gone = {}, {}, {}, {}
  local function remove_later(stream, entry)
    gone[stream] = gone[stream] or {}
    table.insert(gone[stream], entry)
  end
  for i = 1, n do
    streams[i], tickets[i], entries[i] = tonumber(arg()), arg(), arg()
  end
  for i, there in ipairs(known_of(tickets)) do
    local stream, entry = streams[i], entries[i]
    if entry ~= '' then
      remove_later(stream, entry)
    end
    if there == 'due' then
      redis.call('ZREM', due, stream .. ' ' .. tickets[i])
    elseif there and there ~= stream .. ' ' .. entry then
      local other, id = string.match(there, '^(%d+) (.+)$')
      remove_later(tonumber(other), id)
    end
  end
  for stream, ids in pairs(gone) do
    redis.call('XACK', KEYS[stream], group, unpack(ids))
    redis.call('XDEL', KEYS[stream], unpack(ids))
  end
  redis.call('HDEL', known, unpack(tickets))
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
  local stream, ticket = string.match(member, '^(%d+) (.+)$')
  if why == '' then
    why = add(tonumber(stream), ticket) or ''
  end
  if why == '' then
    redis.call('ZREM', due, member)
  end
end

local taken = 0
left = pushes
while left > 0 do
  local n = math.min(left, GROUP_OF)
  left = left - n
  local streams, tickets, fields, added = {}, {}, {}, {}
  for i = 1, n do
    streams[i], tickets[i] = tonumber(arg()), arg()
  end
  local there = known_of(tickets)
  local kept = 0
  for i = 1, n do
    if why == '' and not there[i] and not added[tickets[i]] then
      local entry = redis.pcall('XADD', KEYS[streams[i]], '*', 't', tickets[i])
      if type(entry) == 'table' then
        why = entry.err
      else
        added[tickets[i]] = { streams[i], entry }
        table.insert(fields, tickets[i])
        table.insert(fields, streams[i] .. ' ' .. entry)
      end
    end
    if why == '' then
      kept = i
    end
  end
  if #fields > 0 then
    local answer = redis.pcall('HSET', known, unpack(fields))
    if type(answer) == 'table' then
      why, kept = answer.err, 0
      for _, entry in pairs(added) do
        redis.call('XDEL', KEYS[entry[1]], entry[2])
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
  for _, entry in ipairs(entries) do
    local ticket = entry[2] and entry[2][2]
    if ticket and string.match(ticket, '^%d+:%d+:%d+$') then
      table.insert(claimed, tostring(stream))
      table.insert(claimed, entry[1])
      table.insert(claimed, ticket)
    else
      -- Deleted meanwhile, or not written by leadgate.
      remove(stream, entry[1])
    end
  end
  return #entries
end

-- What this consumer was given and may not have heard of.
if resume then
  for stream = first, #KEYS do
    read(stream, 1000, '0')
  end
end
local resumed = #claimed / 3

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
