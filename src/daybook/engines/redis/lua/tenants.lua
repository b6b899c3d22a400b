local found = {}
for _, counter in ipairs(KEYS) do
  for _, tenant in ipairs(call('SMEMBERS', string.sub(counter, 1, -2) .. a.kind)) do
    found[#found + 1] = tenant
  end
end
return reply('ok', found)
