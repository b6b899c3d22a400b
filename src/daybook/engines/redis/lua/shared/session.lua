-- Sessions. `s:` holds a session's numbers (`n` names it, `st` its own stream, `org` is the number of
-- that stream's first message), `b:` the rest of it, `m:` a stream's messages, `i:`
-- its message ids, `r:` who refers to a stream that is shared.
local function session_key(base, tenant, id)
  return base .. 's:' .. framed(tenant) .. id
end

-- Return a session whatever its state, nil if it is absent.
local function find(base, tenant, id)
  local key = session_key(base, tenant, id)
  guard_in(base, key)
  local packed = call('GET', key)
  if not packed then
    return nil
  end
  local v = cmsgpack.unpack(packed)
  return {
    key = key, base = base, tenant = tenant, id = id, user = v[1], n = v[2], st = v[3],
    org = v[4], first = v[5], last = v[6], cnt = v[7], tok = v[8], roles = v[9], act = v[10],
    ttl = v[11] or nil, exp = v[12] or nil, inc = v[13], ver = v[14], seg = v[15], cre = v[16],
    max = v[17] or nil,
  }
end

-- Store a session's numbers. Its life on the server is set apart, by `set_life`.
local function save(s)
  local packed = cmsgpack.pack({s.user, s.n, s.st, s.org, s.first, s.last, s.cnt, s.tok, s.roles,
    s.act, s.ttl or false, s.exp or false, s.inc, s.ver, s.seg, s.cre, s.max or false})
  call('SET', s.key, packed, 'KEEPTTL')
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
  guard(root .. 'alias')
  local alias = call('HGET', root .. 'alias', framed(a.tenant) .. id)
  return nil, alias and unframed(alias)
end
