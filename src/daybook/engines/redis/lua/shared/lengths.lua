-- Return the lengths of texts as one text of 4 bytes each.
local function lengths(out)
  local sizes = {}
  for index, entry in ipairs(out) do
    sizes[index] = struct.pack('>I4', #entry)
  end
  return table.concat(sizes)
end
