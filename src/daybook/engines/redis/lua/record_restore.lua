--@ use record
-- Each key of `histories` is {label, member, versions, expires, updated}; its values stand in
-- ARGV in order, oldest first, heads included.
local at = 3
for _, one in ipairs(a.histories) do
  local label, member, versions, expires, updated = one[1], one[2], one[3], one[4], one[5]
  guard_record(root, a.tenant, label, member)
  local older = history(root, a.tenant, member)
  call('DEL', older)
  for _ = 2, versions do
    call('RPUSH', older, ARGV[at])
    at = at + 1
  end
  write_record(root, a.tenant, label, member, ARGV[at], updated, expires)
  at = at + 1
end
return reply('ok')
