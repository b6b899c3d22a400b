-- Which of the buckets hold something whose life has ended.
local found = {}
for index, counter in ipairs(a.counters or KEYS) do
  local base = string.sub(counter, 1, -2)
  local key = base .. a.kind
  guard_in(base, key)
  if call('ZCOUNT', key, '-inf', string.format('%.0f', a.now)) > 0 then
    found[#found + 1] = index
  end
end
return reply('ok', found)
