-- Entries of `alias`: the bucket, framed, the claim's number and its time in milliseconds.
local function now_ms()
  local time = call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local function alias_time(alias)
  local _, rest = unframed(alias)
  return tonumber(string.match(rest, ':(%d+)$'))
end
