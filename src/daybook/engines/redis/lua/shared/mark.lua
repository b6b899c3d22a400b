-- Marks for the indexer. `pq:` orders an owner's changed sessions by their first unsettled change,
-- `pm:` holds their marks, `p` orders the owners.
local function mark(base, tenant, user, id)
  local owner = framed(tenant) .. user
  local number = call('INCR', base .. 'n')
  if call('HSET', base .. 'pm:' .. owner, id, number) == 1 then
    local time = call('TIME')
    local at = string.format('%.0f', tonumber(time[1]) * 1000000 + tonumber(time[2]))
    call('ZADD', base .. 'pq:' .. owner, at, id)
    call('ZADD', base .. 'p', 'NX', at, owner)
  end
end
