-- The end of sessions and of the streams that nobody refers to any more.
local OWNER = 9007199254740992

-- Forget the ids of a stream at positions above a place.
local function cut_ids(base, stream, last_position)
  local key = base .. 'i:' .. stream
  for at = 0, tonumber(call('HGET', key, '#') or 1) - 1 do
    local shard, kept = call('HGET', key, at) or '', {}
    for from = 1, #shard, ENTRY do
      if struct.unpack('>I4', shard, from + 16) <= last_position then
        kept[#kept + 1] = string.sub(shard, from, from + ENTRY - 1)
      end
    end
    call('HSET', key, at, table.concat(kept))
  end
end

-- Take away one session's hold on a stream whose first message has the number `origin`.
local function unref(base, stream, origin, number)
  local refs = base .. 'r:' .. stream
  call('HDEL', refs, number)
  local held = call('HVALS', refs)
  local last = 0
  for _, seq in ipairs(held) do
    last = math.max(last, tonumber(seq))
  end
  if #held == 0 then
    call('UNLINK', base .. 'm:' .. stream, base .. 'i:' .. stream)
  elseif last < OWNER then
    local messages = base .. 'm:' .. stream
    if call('LLEN', messages) > last - origin + 1 then
      call('LTRIM', messages, 0, last - origin)
      cut_ids(base, stream, last - origin)
    end
  elseif #held == 1 then
    call('DEL', refs)
  end
end

local function release(s)
  unref(s.base, s.st, s.org, s.n)
  for _, segment in ipairs(s.seg) do
    unref(s.base, segment[1], segment[2], s.n)
  end
end

-- Remove a session with what only it refers to, and mark the change. Room is given back first: a
-- server that is full refuses a script's first write if it takes room.
local function drop(s)
  call('UNLINK', s.key, s.base .. 'b:' .. s.n)
  release(s)
  delist(s.base, s.tenant, s.user, s.id)
  mark(s.base, s.tenant, s.user, s.id)
end

-- The keys that dropping or changing a session touches.
local function guard_session(s)
  if not a.cluster then
    return
  end
  local owner = framed(s.tenant) .. s.user
  local keys = {s.key, s.base .. 'b:' .. s.n, s.base .. 'm:' .. s.st, s.base .. 'i:' .. s.st,
    s.base .. 'r:' .. s.st, s.base .. 'l:' .. framed(s.tenant), s.base .. 'u:' .. owner,
    s.base .. 'x', s.base .. 't', s.base .. 'p', s.base .. 'pm:' .. owner,
    s.base .. 'pq:' .. owner}
  for _, segment in ipairs(s.seg) do
    for _, kind in ipairs({'m:', 'i:', 'r:'}) do
      keys[#keys + 1] = s.base .. kind .. segment[1]
    end
  end
  guard(unpack(keys))
end
