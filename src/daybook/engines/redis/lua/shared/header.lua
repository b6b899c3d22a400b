-- Return what a caller sees of a session.
local function header(s)
  local body = call('GET', s.base .. 'b:' .. s.n)
  return {body or '', s.first, s.last, s.cnt, s.tok, s.act, s.exp or false}
end
