--@ use session mark registry ids drop alias make window entry header
local s = locate(a.id)
if not s then
  return reply('missing', false)
end
if s.inc ~= a.inc or s.first ~= a.first or s.last < a.at then
  return reply('changed')
end
local why, alias, age = obstacle(a.new)
if why then
  return reply(why, alias or false, age or false)
end

-- What the child refers to: the segments and the stream of its parent up to its place.
local fork = {at = a.at, first = s.first, seg = {}, cnt = a.at - s.first + 1, tok = s.tok}
local start = s.first - 1
local function refer(stream, origin, last)
  local to = math.min(last, a.at)
  if to > start then
    fork.seg[#fork.seg + 1] = {stream, origin, to}
    start = to
  end
end
for _, segment in ipairs(s.seg) do
  refer(segment[1], segment[2], segment[3])
end
refer(s.st, s.org, s.last)

-- Counts: those of the parent less those after the place, or of what is before it if that is less.
local roles = {0, 0, 0, 0}
local after = s.last - a.at
local whole = after <= fork.cnt
if whole then
  roles = {unpack(s.roles)}
else
  fork.tok = 0
end
local low, high = a.at + 1, s.last
if not whole then
  low, high = s.first, a.at
end
for _, part in ipairs(stretches(s, low, high)) do
  for from = part[2], part[3], CHUNK do
    for _, entry in ipairs(call('LRANGE', part[1], from, math.min(part[3], from + CHUNK - 1))) do
      local role, tokens = counted(entry)
      local sign = whole and -1 or 1
      roles[role + 1], fork.tok = roles[role + 1] + sign, fork.tok + sign * tokens
    end
  end
end

guard_session(s)
fork.roles = roles
local child = make(a.new, fork)
for _, segment in ipairs(fork.seg) do
  local refs = root .. 'r:' .. segment[1]
  if segment[1] == s.st then
    call('HSET', refs, s.n, string.format('%.0f', OWNER))
    set_life(s, nil)
  end
  call('HSET', refs, child.n, segment[3])
end
mark(root, child.tenant, child.user, child.id)
return reply('ok', header(child), child.user, child.inc, 0)
