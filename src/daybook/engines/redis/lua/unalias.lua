-- Forget where an id lives, unless it was claimed again since.
local name = framed(a.tenant) .. a.id
guard(root .. 'alias')
local alias = call('HGET', root .. 'alias', name)
if alias and string.sub(alias, 1, #a.expect) == a.expect then
  call('HDEL', root .. 'alias', name)
end
return reply('ok')
