--@ use session
local sums = {sessions = 0, messages = 0, tokens = 0, roles = {0, 0, 0, 0}}
local function add(s)
  sums.sessions = sums.sessions + 1
  sums.messages = sums.messages + s.cnt
  sums.tokens = sums.tokens + s.tok
  sums.first = math.min(sums.first or s.cre, s.cre)
  sums.last = math.max(sums.last or s.act, s.act)
  for role, count in ipairs(s.roles) do
    sums.roles[role] = sums.roles[role] + count
  end
end

if a.id then
  local s, elsewhere = locate(a.id)
  if not s then
    return reply('missing', elsewhere or false)
  end
  add(s)
  return reply('ok', sums)
end
for _, counter in ipairs(a.counters or KEYS) do
  local base = string.sub(counter, 1, -2)
  local key = base .. 'l:' .. framed(a.tenant)
  if a.user then
    key = base .. 'u:' .. framed(a.tenant) .. a.user
  end
  guard_in(base, key)
  for _, id in ipairs(call('ZRANGE', key, 0, -1)) do
    local s = find(base, a.tenant, id)
    if s and is_live(s) and (not a.user or s.user == a.user) then
      add(s)
    end
  end
end
return reply('ok', sums)
