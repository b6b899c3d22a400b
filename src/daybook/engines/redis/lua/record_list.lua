--@ use record lengths
-- The first `limit` live records below a prefix, last updated first, ties in the order of their
-- members: of each owner of each bucket that is asked. The caller merges owners.
local BATCH = 256
local FEW = 1000
local members, out = {}, {}

local function take(member, value)
  members[#members + 1] = member
  out[#out + 1] = value
end

-- Few below the prefix: fetch and sort them.
local function by_sorting(base, owner)
  local found = {}
  local below = call('ZRANGEBYLEX', base .. 'o:' .. owner, a.low, a.high)
  for rank, member in ipairs(below) do
    local record = current(base, owner, member)
    if record and alive(record) then
      record.rank, record.member = rank, member
      found[#found + 1] = record
    end
  end
  table.sort(found, function(one, other)
    if one.updated ~= other.updated then
      return one.updated > other.updated
    end
    return one.rank < other.rank
  end)
  for at = 1, math.min(#found, a.limit or #found) do
    take(found[at].member, found[at].value)
  end
end

-- Most of the owner's records are below it: walk them in the order wanted.
local function by_walking(base, owner)
  local prefix, from, count = string.sub(a.low, 2), 0, 0
  repeat
    local batch = call('ZRANGE', base .. 'w:' .. owner, from, from + BATCH - 1)
    for _, member in ipairs(batch) do
      if string.sub(member, 1, #prefix) == prefix and (not a.limit or count < a.limit) then
        local record = current(base, owner, member)
        if record and alive(record) then
          count = count + 1
          take(member, record.value)
        end
      end
    end
    from = from + BATCH
  until #batch == 0 or (a.limit and count >= a.limit)
end

for _, counter in ipairs(a.counters or KEYS) do
  local base = string.sub(counter, 1, -2)
  for _, label in ipairs(owners_of(base)) do
    local owner = owner_name(a.tenant, label)
    guard_in(base, base .. 'o:' .. owner, base .. 'w:' .. owner, base .. 'c:' .. owner)
    if a.label and call('ZLEXCOUNT', base .. 'o:' .. owner, a.low, a.high) <= FEW then
      by_sorting(base, owner)
    else
      by_walking(base, owner)
    end
  end
end
return {ARGV[1], cmsgpack.pack({'ok', members}), lengths(out), table.concat(out)}
