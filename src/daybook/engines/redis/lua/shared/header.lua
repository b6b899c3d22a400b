-- Return what a caller sees of a session.
local function header(s)
  guard_in(s.base, s.base .. 'b:' .. s.n)
  local body = call('GET', s.base .. 'b:' .. s.n)
  return {body, s.first, s.last, s.cnt, s.tok, s.act, s.exp or false}
end
