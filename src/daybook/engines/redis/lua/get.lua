--@ use session header
local s, elsewhere = locate(a.id)
if not s then
  return reply('missing', elsewhere or false)
end
local seen = a.brief and {s.first, s.last} or header(s)
return reply('ok', seen, s.user, s.inc, s.ver)
