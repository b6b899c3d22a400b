-- Which message ids a stream knows: `i:` is a hash of shards, each a run of entries of 16 bytes of
-- digest and 4 bytes of position. Shards are split one by one as the stream grows (linear
-- hashing), so an append touches a few hundred bytes however long the stream is, and an id takes
-- 25 bytes where a field of its own would take 110.
local ENTRY = 20
local LOAD = 32

local function shard_of(digest, shards)
  local hash = struct.unpack('>I4', digest)
  local level = 1
  while level * 2 <= shards do
    level = level * 2
  end
  local at = hash % (level * 2)
  if at >= shards then
    at = hash % level
  end
  return at, level
end

-- Open a stream's ids: what is read is kept, what is changed is written by `save_ids`.
local function open_ids(base, stream)
  local key = base .. 'i:' .. stream
  return {key = key, shards = tonumber(call('HGET', key, '#') or 1), read = {}, changed = {}}
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
  local shard = read_shard(ids, shard_of(digest, ids.shards))
  local from = string.find(shard, digest, 1, true)
  while from do
    if (from - 1) % ENTRY == 0 then
      return struct.unpack('>I4', shard, from + 16)
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
  local level = 1
  while level * 2 <= new do
    level = level * 2
  end
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
  ids.shards = new + 1
end

-- Add a digest at a position; `size` is how many the stream has then.
local function add_id(ids, digest, position, size)
  while size > LOAD * ids.shards do
    split_shard(ids)
  end
  local at = shard_of(digest, ids.shards)
  write_shard(ids, at, read_shard(ids, at) .. digest .. struct.pack('>I4', position))
end

local function save_ids(ids)
  for at in pairs(ids.changed) do
    call('HSET', ids.key, at, ids.read[at])
  end
  call('HSET', ids.key, '#', ids.shards)
end

-- Forget the ids at positions above a place.
local function cut_ids(base, stream, last_position)
  local key = base .. 'i:' .. stream
  for at = 0, tonumber(call('HGET', key, '#') or 1) - 1 do
    local shard, kept = call('HGET', key, at) or '', {}
    for from = 1, #shard, ENTRY do
      if struct.unpack('>I4', shard, from + 16) <= last_position then
        kept[#kept + 1] = string.sub(shard, from, from + ENTRY - 1)
      end
    end
    call('HSET', key, at, table.concat(kept))
  end
end
