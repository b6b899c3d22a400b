-- Messages by number. A session's messages stand in the segments it inherited, then in its stream.
local CHUNK = 512

-- Call `visit(list, from, to, seq)` for each stretch of messages from `low` to `high`, both
-- included: positions in the list, and the number of the first.
local function stretches(s, low, high)
  local found, start = {}, s.first
  local function add(stream, origin, last)
    local from, to = math.max(low, start), math.min(high, last)
    if from <= to then
      found[#found + 1] = {s.base .. 'm:' .. stream, from - origin, to - origin}
    end
    start = last + 1
  end
  for _, segment in ipairs(s.seg) do
    add(segment[1], segment[2], segment[3])
  end
  add(s.st, s.org, s.last)
  return found
end

local function clip(s, after, before, limit, newest)
  local low = math.max(s.first, after + 1)
  local high = math.min(s.last, before and before - 1 or s.last)
  if limit and high - low + 1 > limit then
    if newest then
      low = high - limit + 1
    else
      high = low + limit - 1
    end
  end
  return low, high
end

-- Append messages to `out` until they are many bytes; return the bytes so far.
local function collect(s, low, high, newest, out, size, most)
  local parts = stretches(s, low, high)
  for number = 1, #parts do
    local part = parts[newest and #parts - number + 1 or number]
    local key, from, to, chunk = part[1], part[2], part[3], 16
    guard(key)
    while from <= to do
      local first = newest and math.max(from, to - chunk + 1) or from
      local last = newest and to or math.min(to, from + chunk - 1)
      local got = call('LRANGE', key, first, last)
      for index = 1, #got do
        local entry = got[newest and #got - index + 1 or index]
        out[#out + 1] = entry
        size = size + #entry
      end
      if size >= most then
        return size
      end
      if newest then
        to = first - 1
      else
        from = last + 1
      end
      chunk = math.min(CHUNK, chunk * 2)
    end
  end
  return size
end
