--@ use session mark registry ids drop header
local s, elsewhere = locate(a.id)
if not s then
  return reply('missing', elsewhere or false)
end
if s.inc ~= a.inc or s.ver ~= a.ver then
  return reply('changed')
end
guard_session(s)
call('SET', s.base .. 'b:' .. s.n, a.body)
s.ver, s.ttl, s.max = s.ver + 1, a.ttl, a.max
if a.life then
  s.act, s.exp = a.act, a.exp
  note_activity(s, s.act)
  note_end(s, s.exp)
end
save(s)
set_life(s, s.exp)
return reply('ok', header(s), s.user, s.inc, s.ver)
