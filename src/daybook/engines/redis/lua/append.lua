--@ use session mark registry ids entry
--@ nest making drop alias make : obstacle make guard_session
-- ARGV[3] holds the ids' digests, 16 bytes each; then each message: role and tokens, fingerprint,
-- body. First everything is looked up, then everything is written.
local s, elsewhere = locate(a.id)
if not s then
  if not a.new then
    return reply('missing', elsewhere or false)
  end
  local obstacle = making()
  local why, alias, age = obstacle(a.new)
  if why then
    return reply(why, alias or false, age or false)
  end
end

local known = {}
if s then
  known[1] = {ids = open_ids(root, s.st, shards_for(s.last - s.org + 1)), origin = s.org,
    last = s.last, stream = s.st}
  for _, segment in ipairs(s.seg) do
    known[#known + 1] = {ids = open_ids(root, segment[1]), origin = segment[2], last = segment[3],
      stream = segment[1]}
  end
end

-- Return the number and the fingerprint stored under a digest, or nil.
local function stored(digest)
  for _, one in ipairs(known) do
    local position = position_of(one.ids, digest)
    if position and position + one.origin <= one.last then
      local entry = call('LINDEX', root .. 'm:' .. one.stream, position)
      return position + one.origin, string.sub(entry, 5, 12)
    end
  end
  return nil
end

local last = s and s.last or a.new.first - 1
local lowest, highest, duplicates = nil, 0, 0
local fresh, places, prints = {}, {}, {}
for index = 1, #ARGV - 3 do
  local digest = string.sub(ARGV[3], index * 16 - 15, index * 16)
  local entry = ARGV[index + 3]
  local print = string.sub(entry, 5, 12)
  if not places[digest] then
    places[digest], prints[digest] = stored(digest)
    if not places[digest] then
      fresh[#fresh + 1] = index
      places[digest], prints[digest] = last + #fresh, print
      duplicates = duplicates - 1
    end
  end
  if prints[digest] ~= print then
    return reply('conflict', index)
  end
  duplicates = duplicates + 1
  lowest = math.min(lowest or places[digest], places[digest])
  highest = math.max(highest, places[digest])
end

local _, make, guard_session = nil, nil, nil
if a.cluster or not s then
  _, make, guard_session = making()
end
if not s then
  s = make(a.new)
  known[1] = {ids = open_ids(root, s.st, 1), origin = s.org}
elseif a.cluster then
  guard_session(s)
end
if #fresh > 0 then
  local own, batch = known[1], {}
  for number, index in ipairs(fresh) do
    local entry = ARGV[index + 3]
    local role, tokens = counted(entry)
    s.roles[role + 1], s.tok = s.roles[role + 1] + 1, s.tok + tokens
    add_id(own.ids, string.sub(ARGV[3], index * 16 - 15, index * 16), last + number - own.origin)
    batch[#batch + 1] = entry
    if #batch == 1000 or number == #fresh then
      call('RPUSH', root .. 'm:' .. s.st, unpack(batch))
      batch = {}
    end
  end
  save_ids(own.ids)
  local ended = s.exp
  s.last, s.cnt, s.act, s.exp = last + #fresh, s.cnt + #fresh, a.now, s.ttl and a.now + s.ttl
  save(s)
  note_activity(s, a.now)
  if ended or s.exp then
    note_end(s, s.exp)
    set_life(s, s.exp)
  end
  mark(root, s.tenant, s.user, s.id)
end
return reply('ok', lowest, highest, duplicates, s.user)
