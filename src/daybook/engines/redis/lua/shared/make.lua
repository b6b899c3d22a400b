-- New sessions. An id is unique in its tenant: it is claimed in the id's natural bucket, where the
-- session itself is the claim if it lives there, and an entry in `alias` otherwise. Each claim
-- takes a higher number of that bucket's counter, which becomes the session's incarnation.

-- Return nil if the new session `new` may be made here; else what stands in the way.
local function obstacle(new)
  local s = find(root, a.tenant, new.id)
  if s and is_live(s) then
    return 'taken'
  end
  local name = framed(a.tenant) .. new.id
  if new.natural then
    local alias = call('HGET', root .. 'alias', name)
    if alias and alias ~= new.expect then
      return 'alias', alias, now_ms() - alias_time(alias)
    end
  elseif not new.token then
    return 'claim'
  else
    local fence = call('GET', root .. 'f:' .. name)
    if fence and tonumber(fence) >= new.token then
      return 'lost'
    end
  end
  return nil
end

-- Make it, in the place of an expired one; `obstacle` was nil.
local function make(new, fork)
  local name = framed(a.tenant) .. new.id
  local owner = framed(a.tenant) .. new.user
  guard(session_key(root, a.tenant, new.id), root .. 'l:' .. framed(a.tenant), root .. 'u:' .. owner,
    root .. 'x', root .. 't', root .. 'p', root .. 'pm:' .. owner, root .. 'pq:' .. owner,
    root .. 'alias')
  local before = find(root, a.tenant, new.id)
  if before then
    guard_session(before)
    drop(before)
  elseif call('ZSCORE', by_user(root, a.tenant, new.user), new.id) then
    mark(root, a.tenant, new.user, new.id) -- the server dropped one that the index may know
  end
  local number = call('INCR', root .. 'n')
  local incarnation = new.natural and number or new.token
  if new.expect then
    call('HDEL', root .. 'alias', name)
  end
  local s = {
    key = session_key(root, a.tenant, new.id), base = root, tenant = a.tenant, id = new.id,
    user = new.user, n = number, st = number, org = fork and fork.at + 1 or new.first,
    first = fork and fork.first or new.first, last = fork and fork.at or new.first - 1,
    cnt = fork and fork.cnt or 0, tok = fork and fork.tok or 0,
    roles = fork and fork.roles or {0, 0, 0, 0}, act = new.act, ttl = new.ttl, exp = new.exp,
    inc = incarnation, ver = 0, seg = fork and fork.seg or {}, cre = new.cre, max = new.max,
  }
  save(s)
  call('SET', root .. 'b:' .. s.n, new.body)
  call('SADD', root .. 't', a.tenant)
  note_activity(s, s.act)
  note_end(s, s.exp)
  if s.exp then
    set_life(s, s.exp)
  end
  return s
end
