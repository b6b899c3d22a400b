-- What every script has: KEYS are the counters of the buckets it may touch (a script that only reads
-- may touch more buckets of one cluster node, named by `counters`), ARGV[1] is the nonce
-- that the reply echoes, ARGV[2] the named arguments, the rest are bodies.
local a = cmsgpack.unpack(ARGV[2])
local call = redis.call
local root = string.sub(KEYS[1], 1, -2)

local function reply(...)
  return {ARGV[1], cmsgpack.pack({...})}
end

-- A name of any bytes, so that what follows it cannot be mistaken for a part of it.
local function framed(name)
  return #name .. ':' .. name
end

-- Take a framed name off the front of a text; return it and the rest.
local function unframed(text)
  local colon = string.find(text, ':', 1, true)
  local size = tonumber(string.sub(text, 1, colon - 1))
  return string.sub(text, colon + 1, colon + size), string.sub(text, colon + size + 1)
end

-- While a cluster moves this slot, some keys are here and some are there, and a key that is there
-- looks as if it did not exist. The server refuses a command that names several keys of which one
-- is not here: so a script names what it is about to read, and before its first write all that it
-- will touch. It then sees everything or ends, and never stops half-way.
local function guard_in(base, ...)
  if a.cluster then
    call('EXISTS', base .. 'n', ...)
  end
end

local function guard(...)
  guard_in(root, ...)
end
