--@ use session mark registry ids drop alias make
local why, alias, age = obstacle(a.new)
if why then
  return reply(why, alias or false, age or false)
end
local s = make(a.new)
return reply('ok', s.inc)
