-- Tell which claim an id has that lives in another bucket.
guard(root .. 'alias')
return reply('ok', call('HGET', root .. 'alias', framed(a.tenant) .. a.id))
