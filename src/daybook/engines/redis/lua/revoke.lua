--@ use session mark registry ids drop
-- An alias points here. Tell whether a live session has the id; if none, and the claim is old, see
-- to it that the claim is never used.
local s = find(root, a.tenant, a.id)
if s and is_live(s) then
  return reply('taken')
end
if not a.token then
  return reply('ok')
end
local fence = root .. 'f:' .. framed(a.tenant) .. a.id
guard(fence)
if s then
  guard_session(s)
  drop(s)
end
call('SET', fence, a.token, 'PX', a.fence)
return reply('ok')
