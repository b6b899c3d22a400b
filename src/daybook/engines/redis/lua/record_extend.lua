--@ use record
-- Each of `ends` is {label, member, version, expires}: live records of those versions end later.
local changed = 0
for _, one in ipairs(a.ends) do
  guard_record(root, a.tenant, one[1], one[2])
end
for _, one in ipairs(a.ends) do
  local label, member, version, expires = one[1], one[2], one[3], one[4]
  local owner = owner_name(a.tenant, label)
  local found = current(root, owner, member)
  if found and alive(found) and found.version == version and found.exp and found.exp < expires then
    local head = pack_head(version, found.created, found.updated, expires, found.size)
    call('HSET', root .. 'c:' .. owner, member, head .. string.sub(found.value, #head + 1))
    call('ZADD', root .. 'rx', string.format('%.0f', expires), record_life(a.tenant, label, member))
    changed = changed + 1
  end
end
return reply('ok', changed)
