-- The oldest unsettled changes of each bucket that is asked: of one owner, a tenant's, or all.
local found = {}
local function add(base, owner)
  guard_in(base, base .. 'pq:' .. owner, base .. 'pm:' .. owner)
  local batch = call('ZRANGE', base .. 'pq:' .. owner, 0, a.limit - 1, 'WITHSCORES')
  for at = 1, #batch, 2 do
    local number = call('HGET', base .. 'pm:' .. owner, batch[at])
    found[#found + 1] = {batch[at + 1], owner, batch[at], tonumber(number)}
  end
end

if a.user then
  add(root, framed(a.tenant) .. a.user)
  return reply('ok', found)
end
local tenant = a.tenant and framed(a.tenant)
for _, counter in ipairs(a.counters or KEYS) do
  local base = string.sub(counter, 1, -2)
  -- Nothing older than its owner's first change: as many owners as changes are asked for will do.
  guard_in(base, base .. 'p')
  local owners = call('ZRANGE', base .. 'p', 0, tenant and -1 or a.limit - 1)
  for _, owner in ipairs(owners) do
    if not tenant or string.sub(owner, 1, #tenant) == tenant then
      add(base, owner)
    end
  end
end
return reply('ok', found)
