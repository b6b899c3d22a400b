--@ use session header
-- The first `limit` live sessions after a place, of each bucket that is asked.
local BATCH = 64

-- Byte by byte: a comparison of texts in Lua follows the server's locale.
local function is_after(one, other)
  for at = 1, math.min(#one, #other) do
    local x, y = string.byte(one, at), string.byte(other, at)
    if x ~= y then
      return x > y
    end
  end
  return #one > #other
end

local found = {}
for _, counter in ipairs(a.counters or KEYS) do
  local base = string.sub(counter, 1, -2)
  local key = base .. 'l:' .. framed(a.tenant)
  if a.user then
    key = base .. 'u:' .. framed(a.tenant) .. a.user
  end
  guard_in(base, key)
  local offset, here = 0, 0
  repeat
    local batch = call('ZRANGEBYSCORE', key, a.rank and string.format('%.0f', a.rank) or '-inf',
      '+inf', 'WITHSCORES', 'LIMIT', offset, BATCH)
    for at = 1, #batch, 2 do
      local id = batch[at]
      if here < a.limit and (tonumber(batch[at + 1]) ~= a.rank or is_after(id, a.last)) then
        local s = find(base, a.tenant, id)
        if s and is_live(s) and (not a.user or s.user == a.user) then
          here = here + 1
          found[#found + 1] = header(s)
        end
      end
    end
    offset = offset + BATCH
  until #batch == 0 or here >= a.limit
end
return reply('ok', found)
