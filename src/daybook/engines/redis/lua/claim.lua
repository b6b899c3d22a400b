--@ use session mark registry ids drop alias
-- Claim an id in its natural bucket for a session that will live in another one. An entry of
-- `alias` is the bucket, the claim's number and its time in milliseconds.
local s = find(root, a.tenant, a.id)
if s and is_live(s) then
  return reply('taken')
end
local name = framed(a.tenant) .. a.id
guard(root .. 'alias')
local alias = call('HGET', root .. 'alias', name)
if alias and alias ~= a.expect then
  return reply('alias', alias, now_ms() - alias_time(alias))
end
if s then
  guard_session(s)
  drop(s)
end
local token = call('INCR', root .. 'n')
call('HSET', root .. 'alias', name,
  string.format('%s%.0f:%.0f', framed(a.bucket), token, now_ms()))
return reply('ok', token)
