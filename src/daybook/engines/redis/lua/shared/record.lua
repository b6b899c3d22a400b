-- Records. An owner (a tenant and a first label) has `c:`, the current values by member, `o:`, the
-- members in the order of their text, and `w:`, by their last update. A member is the encoded
-- namespace, a NUL and the key. `h:` is the list of a key's older versions, oldest first; `rx` the
-- ends of lives, `ow:` a tenant's owners, `rt` the tenants. A value is a packed head (see below),
-- the provenance and the JSON.
local HEAD = '>I4dddI4'

local function unpack_value(value)
  local version, created, updated, expires, size = struct.unpack(HEAD, value)
  return {version = version, created = created, updated = updated,
    exp = expires >= 0 and expires or nil, size = size, value = value}
end

local function pack_head(version, created, updated, expires, size)
  return struct.pack(HEAD, version, created, updated, expires or -1, size)
end

local function alive(record)
  return not record.exp or record.exp > a.now
end

local function current(base, owner, member)
  guard_in(base, base .. 'c:' .. owner)
  local value = call('HGET', base .. 'c:' .. owner, member)
  return value and unpack_value(value)
end

local function owner_name(tenant, label)
  return framed(tenant) .. label
end

-- A member's place in the registry of ends.
local function record_life(tenant, label, member)
  return framed(tenant) .. framed(label) .. member
end

local function history(base, tenant, member)
  return base .. 'h:' .. framed(tenant) .. member
end

local function guard_record(base, tenant, label, member)
  local owner = owner_name(tenant, label)
  guard(base .. 'c:' .. owner, base .. 'o:' .. owner, base .. 'w:' .. owner, base .. 'rx',
    base .. 'ow:' .. framed(tenant), base .. 'rt', history(base, tenant, member))
end

local function remove_record(base, tenant, label, member)
  local owner = owner_name(tenant, label)
  call('DEL', history(base, tenant, member))
  call('HDEL', base .. 'c:' .. owner, member)
  call('ZREM', base .. 'o:' .. owner, member)
  call('ZREM', base .. 'w:' .. owner, member)
  call('ZREM', base .. 'rx', record_life(tenant, label, member))
  if call('EXISTS', base .. 'c:' .. owner) == 0 then
    local owners = base .. 'ow:' .. framed(tenant)
    call('SREM', owners, label)
    if call('EXISTS', owners) == 0 then
      call('SREM', base .. 'rt', tenant)
    end
  end
end

local function write_record(base, tenant, label, member, value, updated, expires)
  local owner = owner_name(tenant, label)
  call('HSET', base .. 'c:' .. owner, member, value)
  call('ZADD', base .. 'o:' .. owner, 0, member)
  call('ZADD', base .. 'w:' .. owner, string.format('%.0f', -updated), member)
  if expires then
    call('ZADD', base .. 'rx', string.format('%.0f', expires), record_life(tenant, label, member))
  else
    call('ZREM', base .. 'rx', record_life(tenant, label, member))
  end
  call('SADD', base .. 'ow:' .. framed(tenant), label)
  call('SADD', base .. 'rt', tenant)
end

-- The owners a call is about: the one whose label it names, or all of the tenant in this bucket.
local function owners_of(base)
  if a.label then
    return {a.label}
  end
  guard_in(base, base .. 'ow:' .. framed(a.tenant))
  return call('SMEMBERS', base .. 'ow:' .. framed(a.tenant))
end
