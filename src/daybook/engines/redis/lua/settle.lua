for _, one in ipairs(a.settled) do
  local owner, id, number = one[1], one[2], one[3]
  local marks, queue = root .. 'pm:' .. owner, root .. 'pq:' .. owner
  guard(marks, queue, root .. 'p')
  if tonumber(call('HGET', marks, id) or -1) == number then
    call('HDEL', marks, id)
    call('ZREM', queue, id)
    local oldest = call('ZRANGE', queue, 0, 0, 'WITHSCORES')
    if oldest[1] then
      call('ZADD', root .. 'p', oldest[2], owner)
    else
      call('ZREM', root .. 'p', owner)
    end
  end
end
return reply('ok')
