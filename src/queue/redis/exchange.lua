-- One exchange of a process with the queue: acknowledges, puts back, moves what has come due into
-- its stream, pushes, claims. Every step may be repeated without harm, since an answer may be lost.
--
-- KEYS: known, due, then hot, normal and low stream of each kind.
-- ARGV: group, consumer, resume, numbers of acks, put-backs, pushes and wants, then
--       (stream, ticket, entry) per ack, (stream, ticket, entry, delay in ms) per put-back,
--       (stream, ticket) per push, (hot stream, of hot, of normal, of low) per want.
-- Returns: pushes taken, put-backs taken, why not the rest, whether groups were missing, tickets
--       known, how many of the claimed had been claimed before, length of the streams by kind,
--       claimed (stream, entry, ticket) one after the other.
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

for _ = 1, acks do
  local stream, ticket, entry = tonumber(arg()), arg(), arg()
  local there = take(stream, ticket, entry)
  if there == 'due' then
    redis.call('ZREM', due, stream .. ' ' .. ticket)
  end
  if there then
    redis.call('HDEL', known, ticket)
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
  local stream, ticket = string.match(member, '^(%d+) (.+)$')
  if why == '' then
    why = add(tonumber(stream), ticket) or ''
  end
  if why == '' then
    redis.call('ZREM', due, member)
  end
end

local taken = 0
for _ = 1, pushes do
  local stream, ticket = tonumber(arg()), arg()
  if why == '' then
    if redis.call('HEXISTS', known, ticket) == 0 then
      why = add(stream, ticket) or ''
    end
    if why == '' then
      taken = taken + 1
    end
  end
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
    if entry[2] then
      table.insert(claimed, tostring(stream))
      table.insert(claimed, entry[1])
      table.insert(claimed, entry[2][2])
    else
      redis.call('XACK', KEYS[stream], group, entry[1])
    end
  end
  return #entries
end

-- What this consumer was given and may not have heard of, and whether a write is possible again.
if resume then
  local kept = redis.pcall('HSET', known, 'probe', '')
  if type(kept) == 'table' then
    why = kept.err
  else
    redis.call('HDEL', known, 'probe')
  end
  for stream = first, #KEYS do
    read(stream, 1000, '0')
  end
end
local resumed = #claimed / 3

-- By turns; what one priority does not use, the others get.
for _ = 1, wants do
  local hot = tonumber(arg())
  local quota, missing = {}, 0
  for rank = 0, 2 do
    quota[rank] = tonumber(arg())
    local got = read(hot + rank, quota[rank], '>')
    missing = missing + quota[rank] - got
    quota[rank] = got == quota[rank]
  end
  for rank = 0, 2 do
    if missing > 0 and quota[rank] then
      missing = missing - read(hot + rank, missing, '>')
    end
  end
end

local lengths = {}
for hot = first, #KEYS, 3 do
  local length = 0
  for rank = 0, 2 do
    length = length + redis.call('XLEN', KEYS[hot + rank])
  end
  table.insert(lengths, length)
end
return { taken, put, why, fresh, redis.call('HLEN', known), resumed, lengths, claimed }
