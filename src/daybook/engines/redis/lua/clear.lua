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
local removed = s.cnt
s.st, s.seg = call('INCR', s.base .. 'n'), {}
s.org, s.first, s.cnt, s.tok, s.roles = s.last + 1, s.last + 1, 0, 0, {0, 0, 0, 0}
save(s)
mark(s.base, s.tenant, s.user, s.id)
return reply('ok', removed)
