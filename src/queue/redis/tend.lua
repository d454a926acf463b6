-- Gives the tickets of consumers that have died back to their streams and removes those consumers;
-- with leave, those of this consumer too.
--
-- KEYS: known, due, then hot, normal and low stream of each kind.
-- ARGV: group, consumer, idle for which a consumer is dead in ms, leave, most tickets of one call.
-- Returns: tickets given back, age of the oldest entry in ms or -1.
local known, first = KEYS[1], 3
local group, me, dead_after, leave, limit =
  ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1', tonumber(ARGV[5])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local moved, oldest = 0, -1

local function give_back(stream, consumer)
  local key = KEYS[stream]
  local pending = redis.call('XPENDING', key, group, '-', '+', limit - moved + 1, consumer)
  for _, row in ipairs(pending) do
    if moved >= limit then
      return false
    end
    local found = redis.call('XRANGE', key, row[1], row[1])
    if found[1] then
      local ticket = found[1][2][2]
      local there = redis.call('HGET', known, ticket)
      -- Not where another one of the same ticket has taken its place.
      local other = there and there ~= row[1]
      if other and there ~= 'due' then
        other = redis.pcall('XRANGE', key, there, there)[1]
      end
      if not other then
        local entry = redis.pcall('XADD', key, '*', 't', ticket)
        if type(entry) == 'table' then
          return false
        end
        redis.call('HSET', known, ticket, entry)
      end
      redis.call('XDEL', key, row[1])
    end
    redis.call('XACK', key, group, row[1])
    moved = moved + 1
  end
  return true
end

for stream = first, #KEYS do
  local consumers = redis.pcall('XINFO', 'CONSUMERS', KEYS[stream], group)
  for _, row in ipairs(consumers) do
    local consumer = {}
    for at = 1, #row, 2 do
      consumer[row[at]] = row[at + 1]
    end
    local mine = consumer.name == me
    if (mine and leave) or (not mine and consumer.idle >= dead_after) then
      if give_back(stream, consumer.name) then
        redis.call('XGROUP', 'DELCONSUMER', KEYS[stream], group, consumer.name)
      end
    end
  end
  local front = redis.call('XRANGE', KEYS[stream], '-', '+', 'COUNT', 1)
  if front[1] then
    oldest = math.max(oldest, now - tonumber(string.match(front[1][1], '^%d+')))
  end
end
return { moved, oldest }
