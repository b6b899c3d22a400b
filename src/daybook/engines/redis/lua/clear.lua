--@ use session mark registry ids drop
local s, elsewhere = locate(a.id)
if not s then
  return reply('missing', elsewhere or false)
end
if s.cnt == 0 then
  return reply('ok', 0)
end
guard_session(s)
release(s)
local stream = call('INCR', s.base .. 'n')
call('HDEL', s.key, 'seg', 'r0', 'r1', 'r2', 'r3')
call('HSET', s.key, 'st', stream, 'org', s.last + 1, 'first', s.last + 1, 'cnt', 0, 'tok', 0)
mark(s.base, s.tenant, s.user, s.id)
return reply('ok', s.cnt)
