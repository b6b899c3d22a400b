local found = {}
for _, counter in ipairs(a.counters or KEYS) do
  local base = string.sub(counter, 1, -2)
  local key = base .. a.kind
  guard_in(base, key)
  for _, tenant in ipairs(call('SMEMBERS', key)) do
    found[#found + 1] = tenant
  end
end
return reply('ok', found)
