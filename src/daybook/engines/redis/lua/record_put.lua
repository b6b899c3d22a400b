--@ use record
-- ARGV[3..] hold each record's provenance and value. All conditions are checked before the first
-- write; with `dry` nothing is written.
local state, answers = {}, {}
for index, new in ipairs(a.records) do
  local label, member, expected = new[1], new[2], new[4]
  local place = framed(label) .. member
  if not state[place] then
    guard_record(root, a.tenant, label, member)
    local found = current(root, owner_name(a.tenant, label), member)
    state[place] = found and alive(found) and found or {version = 0, created = a.now}
  end
  local before = state[place]
  if expected and expected ~= before.version then
    return reply('conflict', index, before.version)
  end
  answers[index] = {before.version + 1, before.created}
  state[place] = {version = before.version + 1, created = before.created}
end
if a.dry then
  return reply('ok')
end
for index, new in ipairs(a.records) do
  local label, member, expires, size = new[1], new[2], new[3], new[5]
  local found = call('HGET', root .. 'c:' .. owner_name(a.tenant, label), member)
  local version, created = answers[index][1], answers[index][2]
  if version > 1 then
    call('RPUSH', history(root, a.tenant, member), found)
  elseif found then
    call('DEL', history(root, a.tenant, member))
  end
  local value = pack_head(version, created, a.now, expires, size) .. ARGV[index + 2]
  write_record(root, a.tenant, label, member, value, a.now, expires)
end
return reply('ok', answers)
