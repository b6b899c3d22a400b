--@ use session mark registry ids drop
local s = find(root, a.tenant, a.id)
if not s then
  local _, elsewhere = locate(a.id)
  return reply('missing', elsewhere or false)
end
if a.user and s.user ~= a.user then
  return reply('missing', false)
end
guard_session(s)
drop(s)
return reply('ok', is_live(s), s.inc, s.user)
