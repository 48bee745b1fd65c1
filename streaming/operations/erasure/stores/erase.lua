-- One erasure of a shard: compare, then delete; nothing is deleted unless the shard is as expected.
-- KEYS: meta, then each entity that goes. ARGV: expected commit id (empty: no meta), new meta (empty: there is none).
-- Returns how many entities went, -1 when the shard is not as expected.
-- MGET: a key that holds no string counts as missing, and is replaced.
if string.sub(redis.call('MGET', KEYS[1])[1] or '', 1, 16) ~= ARGV[1] then
    return -1
end
local gone = 0
for i = 2, #KEYS do
    gone = gone + redis.call('UNLINK', KEYS[i])
end
if ARGV[2] ~= '' then
    redis.call('SET', KEYS[1], ARGV[2])
end
return gone
