-- Sessions. `s:` holds a session's numbers, `b:` the rest of it, `m:` a stream's messages, `i:`
-- its message ids, `r:` who refers to a stream that is shared.
local FIELDS = {'user', 'n', 'st', 'org', 'first', 'last', 'cnt', 'tok', 'act', 'ttl', 'exp',
  'inc', 'ver', 'seg', 'cre', 'max'}

local function session_key(base, tenant, id)
  return base .. 's:' .. framed(tenant) .. id
end

-- Return a session whatever its state, nil if it is absent.
local function find(base, tenant, id)
  local key = session_key(base, tenant, id)
  if a.cluster then
    call('EXISTS', base .. 'n', key)
  end
  local v = call('HMGET', key, unpack(FIELDS))
  if not v[1] then
    return nil
  end
  return {
    key = key, base = base, tenant = tenant, id = id, user = v[1], n = v[2], st = v[3],
    org = tonumber(v[4]), first = tonumber(v[5]), last = tonumber(v[6]), cnt = tonumber(v[7]),
    tok = tonumber(v[8]), act = tonumber(v[9]), ttl = tonumber(v[10]), exp = tonumber(v[11]),
    inc = tonumber(v[12]), ver = tonumber(v[13]), seg = v[14] and cmsgpack.unpack(v[14]) or {},
    cre = tonumber(v[15]), max = tonumber(v[16]),
  }
end

local function is_live(s)
  return not s.exp or s.exp > a.now
end

-- Return the live session that the call's scope reaches. Else nil; and for a call that names no
-- user, in which bucket the id's alias says it is.
local function locate(id)
  local s = find(root, a.tenant, id)
  if s and is_live(s) then
    if a.user and s.user ~= a.user then
      return nil
    end
    return s
  end
  if a.user then
    return nil
  end
  local alias = call('HGET', root .. 'alias', framed(a.tenant) .. id)
  return nil, alias and unframed(alias)
end

local function now_ms()
  local time = call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local function alias_time(alias)
  local _, rest = unframed(alias)
  return tonumber(string.match(rest, ':(%d+)$'))
end

-- Return what a caller sees of a session.
local function header(s)
  local body = call('GET', s.base .. 'b:' .. s.n)
  return {body or '', s.first, s.last, s.cnt, s.tok, s.act, s.exp or false}
end
