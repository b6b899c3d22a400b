local found = {}
for _, counter in ipairs(KEYS) do
  local key = string.sub(counter, 1, -2) .. a.kind
  guard(key)
  for _, tenant in ipairs(call('SMEMBERS', key)) do
    found[#found + 1] = tenant
  end
end
return reply('ok', found)
