-- Which message ids a stream knows: `i:` is a hash of shards, each a run of entries of 16 bytes of
-- digest and 4 bytes of position. Shards are split one by one as the stream grows (linear
-- hashing), so an append touches a few hundred bytes however long the stream is, and an id takes
-- 25 bytes where a field of its own would take 110. Field `#` is the number of shards.
local ENTRY = 20
local LOAD = 32

-- How many shards a stream of so many messages has.
local function shards_for(size)
  return math.max(1, math.ceil(size / LOAD))
end

local function level_of(shards)
  local level = 1
  while level * 2 <= shards do
    level = level * 2
  end
  return level
end

-- Open a stream's ids: what is read is kept, what is changed is written by `save_ids`.
local function open_ids(base, stream, shards)
  local key = base .. 'i:' .. stream
  shards = shards or tonumber(call('HGET', key, '#') or 1)
  return {key = key, shards = shards, level = level_of(shards), read = {}, changed = {}}
end

local function shard_of(ids, digest)
  local hash = struct.unpack('>I4', digest)
  local at = hash % (ids.level * 2)
  if at >= ids.shards then
    at = hash % ids.level
  end
  return at
end

local function read_shard(ids, at)
  local shard = ids.read[at]
  if not shard then
    shard = call('HGET', ids.key, at) or ''
    ids.read[at] = shard
  end
  return shard
end

-- Return the position of a digest in its stream, counted from 0, or nil.
local function position_of(ids, digest)
  local shard = read_shard(ids, shard_of(ids, digest))
  local from = string.find(shard, digest, 1, true)
  while from do
    if (from - 1) % ENTRY == 0 then
      return (struct.unpack('>I4', shard, from + 16))
    end
    from = string.find(shard, digest, from + 1, true)
  end
  return nil
end

local function write_shard(ids, at, shard)
  ids.read[at] = shard
  ids.changed[at] = true
end

local function split_shard(ids)
  local new = ids.shards
  local level = level_of(new)
  local old = new - level
  local stay, go = {}, {}
  local shard = read_shard(ids, old)
  for from = 1, #shard, ENTRY do
    local entry = string.sub(shard, from, from + ENTRY - 1)
    local list = struct.unpack('>I4', entry) % (level * 2) == new and go or stay
    list[#list + 1] = entry
  end
  write_shard(ids, old, table.concat(stay))
  write_shard(ids, new, table.concat(go))
  ids.shards, ids.level, ids.split = new + 1, level_of(new + 1), true
end

-- Add a digest at a position, the stream's last.
local function add_id(ids, digest, position)
  while ids.shards < shards_for(position + 1) do
    split_shard(ids)
  end
  local at = shard_of(ids, digest)
  write_shard(ids, at, read_shard(ids, at) .. digest .. struct.pack('>I4', position))
end

local function save_ids(ids)
  local pairs_of = {}
  for at in pairs(ids.changed) do
    pairs_of[#pairs_of + 1] = at
    pairs_of[#pairs_of + 1] = ids.read[at]
    if #pairs_of == 1000 then
      call('HSET', ids.key, unpack(pairs_of))
      pairs_of = {}
    end
  end
  if ids.split then
    pairs_of[#pairs_of + 1] = '#'
    pairs_of[#pairs_of + 1] = ids.shards
  end
  if #pairs_of > 0 then
    call('HSET', ids.key, unpack(pairs_of))
  end
end
