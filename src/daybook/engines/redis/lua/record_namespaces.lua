--@ use record
-- The distinct namespaces below a prefix that hold a live record: each is found by one search, and
-- the next search begins behind it.
local found = {}
for _, counter in ipairs(a.counters or KEYS) do
  local base = string.sub(counter, 1, -2)
  for _, label in ipairs(owners_of(base)) do
    local owner = owner_name(a.tenant, label)
    local low = a.low
    guard_in(base, base .. 'o:' .. owner)
    while true do
      local member = call('ZRANGEBYLEX', base .. 'o:' .. owner, low, a.high, 'LIMIT', 0, 1)[1]
      if not member then
        break
      end
      low = '(' .. member
      local record = current(base, owner, member)
      if record and alive(record) then
        local namespace = string.sub(member, 1, string.find(member, '\0', 1, true) - 1)
        found[#found + 1] = namespace
        low = '(' .. namespace .. '\1'
      end
    end
  end
end
return reply('ok', found)
