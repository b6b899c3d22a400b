--@ use record lengths
-- The current value of each place, an empty one where there is none.
local out = {}
for index, place in ipairs(a.places) do
  local found = current(root, owner_name(a.tenant, place[1]), place[2])
  out[index] = found and alive(found) and found.value or ''
end
return {ARGV[1], cmsgpack.pack({'ok'}), lengths(out), table.concat(out)}
