--@ use session mark registry ids drop
local s, elsewhere = locate(a.id)
if not s then
  return reply('missing', elsewhere or false)
end
if s.inc ~= a.inc or s.ver ~= a.ver then
  return reply('changed')
end
guard_session(s)
call('SET', s.base .. 'b:' .. s.n, a.body)
call('HSET', s.key, 'ver', s.ver + 1, 'ttl', a.ttl or '', 'max', a.max or '')
if a.life then
  s.act, s.exp = a.act, a.exp
  call('HSET', s.key, 'act', s.act, 'exp', s.exp or '')
  note_activity(s, s.act)
  note_end(s, s.exp)
end
set_life(s, s.exp)
return reply('ok', header(s), s.user, s.inc, s.ver)
