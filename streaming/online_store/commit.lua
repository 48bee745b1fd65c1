-- One commit of a shard: compare, then write; nothing is written unless the shard is as expected.
-- KEYS: meta, then each changed entity. ARGV: expected commit id (empty: no meta), new meta, expiry in ms of the
-- entities, then each entity's value. Returns 1 when written, 0 when the shard is not as expected.
-- MGET: a key that holds no string counts as missing, and is replaced.
if string.sub(redis.call('MGET', KEYS[1])[1] or '', 1, 16) ~= ARGV[1] then
    return 0
end
if #ARGV ~= #KEYS + 2 then
    return redis.error_reply('ERR as many values as entities are wanted')
end
local expiry = ARGV[3]
for i = 2, #KEYS do
    redis.call('SET', KEYS[i], ARGV[i + 2], 'PX', expiry)
end
redis.call('SET', KEYS[1], ARGV[2])
return 1
