--@ use session window lengths
-- Places are answered in order until the answer is long; the caller asks for the rest.
if a.id then
  local s, elsewhere = locate(a.id)
  if not s then
    return reply('missing', elsewhere or false)
  end
end
local seen, counts, out, size = {}, {}, {}, 0
for index, place in ipairs(a.places) do
  if size >= a.bytes then
    break
  end
  local id = place[1]
  if seen[id] == nil then
    seen[id] = locate(id) or false
  end
  local s, before = seen[id], #out
  counts[index] = {0, 0}
  if s then
    local low, high = math.max(s.first, place[2]), math.min(s.last, place[3])
    if low <= high then
      size = collect(s, low, high, false, out, size, math.huge)
    end
    counts[index] = {low, #out - before}
  end
end
return {ARGV[1], cmsgpack.pack({'ok', counts}), lengths(out), table.concat(out)}
