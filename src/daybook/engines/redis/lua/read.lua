--@ use session window lengths
local s, elsewhere = locate(a.id)
if not s then
  return reply('missing', elsewhere or false)
end
-- A long answer comes in several calls; they must be about one and the same life of the session.
if a.stream and a.stream ~= s.st then
  return reply('changed')
end
local after = a.after
if a.view and s.max then
  after = math.max(after, s.last - s.max)
end
local low, high = clip(s, after, a.before, a.limit, a.newest)
local out = {}
if low <= high then
  collect(s, low, high, a.newest, out, 0, a.bytes)
end
local first = a.newest and high or low
return {ARGV[1], cmsgpack.pack({'ok', first, math.max(0, high - low + 1) - #out, s.st}),
  lengths(out), table.concat(out)}
