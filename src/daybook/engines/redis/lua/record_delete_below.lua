--@ use record
-- Remove what stands below a prefix, of each owner that is asked; so many keys in one call.
local removed, taken = 0, 0
for _, label in ipairs(owners_of(root)) do
  local owner = owner_name(a.tenant, label)
  guard(root .. 'o:' .. owner)
  local members = call('ZRANGEBYLEX', root .. 'o:' .. owner, a.low, a.high, 'LIMIT', 0,
    a.limit - taken)
  for _, member in ipairs(members) do
    guard_record(root, a.tenant, label, member)
    local found = current(root, owner, member)
    removed = removed + (found and alive(found) and 1 or 0)
    remove_record(root, a.tenant, label, member)
  end
  taken = taken + #members
end
return reply('ok', removed, taken)
