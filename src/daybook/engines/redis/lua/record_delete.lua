--@ use record
local removed = 0
for _, place in ipairs(a.places) do
  guard_record(root, a.tenant, place[1], place[2])
end
for _, place in ipairs(a.places) do
  local found = current(root, owner_name(a.tenant, place[1]), place[2])
  if found then
    removed = removed + (alive(found) and 1 or 0)
    remove_record(root, a.tenant, place[1], place[2])
  end
end
return reply('ok', removed)
