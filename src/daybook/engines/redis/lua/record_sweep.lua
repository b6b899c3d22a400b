--@ use record
local gone = {}
guard(root .. 'rx')
local due = call('ZRANGEBYSCORE', root .. 'rx', '-inf', string.format('%.0f', a.now), 'LIMIT', 0,
  a.limit)
for _, life in ipairs(due) do
  local tenant, rest = unframed(life)
  local label, member = unframed(rest)
  guard_record(root, tenant, label, member)
  remove_record(root, tenant, label, member)
  gone[#gone + 1] = {tenant, member}
end
return reply('ok', gone)
