-- The role and tokens that stand before a message's fingerprint and body.
local function counted(entry)
  local word = struct.unpack('>I4', entry)
  return math.floor(word / 536870912), word % 536870912
end
