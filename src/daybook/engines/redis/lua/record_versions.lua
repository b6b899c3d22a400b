--@ use record lengths
local out = {}
local found = current(root, owner_name(a.tenant, a.label), a.member)
if found and alive(found) then
  out[1] = found.value
  if a.limit > 1 and found.version > 1 then
    guard(history(root, a.tenant, a.member))
    local older = call('LRANGE', history(root, a.tenant, a.member), 1 - a.limit, -1)
    for at = #older, 1, -1 do
      out[#out + 1] = older[at]
    end
  end
end
return {ARGV[1], cmsgpack.pack({'ok'}), lengths(out), table.concat(out)}
