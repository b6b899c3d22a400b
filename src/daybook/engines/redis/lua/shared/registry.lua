-- Which sessions there are: `l:` by tenant, `u:` by user, most recently active first; `x` by the
-- end of their lives; `t` the tenants.
local function by_user(base, tenant, user)
  return base .. 'u:' .. framed(tenant) .. user
end

local function life_of(tenant, user, id)
  return framed(tenant) .. framed(user) .. id
end

local function note_activity(s, active)
  local rank = string.format('%.0f', -active)
  call('ZADD', s.base .. 'l:' .. framed(s.tenant), rank, s.id)
  call('ZADD', by_user(s.base, s.tenant, s.user), rank, s.id)
end

local function note_end(s, expires)
  if expires then
    call('ZADD', s.base .. 'x', string.format('%.0f', expires), life_of(s.tenant, s.user, s.id))
  else
    call('ZREM', s.base .. 'x', life_of(s.tenant, s.user, s.id))
  end
end

-- Let the server drop all keys of a session together, well after its end. What is shared with a
-- fork is left to the sweep, which knows who still refers to it.
local function set_life(s, expires)
  local keys = {s.key, s.base .. 'b:' .. s.n, s.base .. 'm:' .. s.st, s.base .. 'i:' .. s.st}
  if expires and #s.seg == 0 and call('EXISTS', s.base .. 'r:' .. s.st) == 0 then
    local left = math.ceil(math.max(0, expires - a.now) / 1000) + a.margin
    for _, key in ipairs(keys) do
      call('PEXPIRE', key, string.format('%.0f', left))
    end
  else
    for _, key in ipairs(keys) do
      call('PERSIST', key)
    end
  end
end

local function delist(base, tenant, user, id, taken_over)
  call('ZREM', by_user(base, tenant, user), id)
  call('ZREM', base .. 'x', life_of(tenant, user, id))
  if not taken_over then
    local all = base .. 'l:' .. framed(tenant)
    call('ZREM', all, id)
    if call('EXISTS', all) == 0 then
      call('SREM', base .. 't', tenant)
    end
  end
end
