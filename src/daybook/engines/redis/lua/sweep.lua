--@ use session mark registry ids drop
-- Remove some of what has expired. The server may have dropped a session before; its marks and its
-- place in the lists are ours to see to.
local gone = {}
guard(root .. 'x')
local due = call('ZRANGEBYSCORE', root .. 'x', '-inf', string.format('%.0f', a.now), 'LIMIT', 0,
  a.limit)
for _, life in ipairs(due) do
  local tenant, rest = unframed(life)
  local user, id = unframed(rest)
  local s = find(root, tenant, id)
  if s and s.user == user and is_live(s) then
    note_end(s, s.exp)
  elseif s and s.user == user then
    guard_session(s)
    drop(s)
    gone[#gone + 1] = {tenant, id, s.inc}
  else
    local owner = framed(tenant) .. user
    guard(root .. 'l:' .. framed(tenant), root .. 'u:' .. owner, root .. 'x', root .. 't',
      root .. 'p', root .. 'pm:' .. owner, root .. 'pq:' .. owner)
    delist(root, tenant, user, id, s ~= nil)
    mark(root, tenant, user, id)
    gone[#gone + 1] = {tenant, id, false}
  end
end
return reply('ok', gone, #due)
