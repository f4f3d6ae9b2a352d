-- Store one message in its stream and announce it, at most once however often it is sent.
-- KEYS[1]  stream; its channel has the same name
-- ARGV     1 epoch  2 sequence  3 message  4 longest stream, 0 for unlimited  5 channel of everything, or ''
--          6 '1' to announce on the sharded channel of a Cluster  7 '1' to accept a gap before this message
-- Returns  1 stored · 0 known already, nothing announced · 'gap:E-S' refused, the stream ends at E-S
--          'other' nothing done, the stream holds a different message under this id
--          'past' nothing done, the stream ends after this id and no longer holds what it had there, if anything
local epoch, sequence = tonumber(ARGV[1]), tonumber(ARGV[2])
local id = ARGV[1] .. '-' .. ARGV[2]
local last_epoch, last_sequence
local top = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if #top > 0 then
  last_epoch, last_sequence = string.match(top[1][1], '^(%d+)-(%d+)$')
elseif redis.call('EXISTS', KEYS[1]) == 1 then
  -- trimmed to nothing: the server still refuses ids up to the last one it made
  local about = redis.call('XINFO', 'STREAM', KEYS[1])
  for i = 1, #about, 2 do
    if about[i] == 'last-generated-id' then
      last_epoch, last_sequence = string.match(about[i + 1], '^(%d+)-(%d+)$')
    end
  end
end
if last_epoch then
  last_epoch, last_sequence = tonumber(last_epoch), tonumber(last_sequence)
  if last_epoch > epoch or (last_epoch == epoch and last_sequence >= sequence) then
    local held = redis.call('XRANGE', KEYS[1], id, id)
    if #held == 0 then
      return 'past'
    end
    return held[1][2][2] == ARGV[3] and 0 or 'other'
  end
  if last_epoch == epoch and sequence ~= last_sequence + 1 and ARGV[7] ~= '1' then
    return 'gap:' .. last_epoch .. '-' .. last_sequence
  end
elseif sequence ~= 1 and ARGV[7] ~= '1' then
  return 'gap:0-0'
end
if ARGV[4] == '0' then
  redis.call('XADD', KEYS[1], id, 'd', ARGV[3])
else
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[4], id, 'd', ARGV[3])
end
redis.call(ARGV[6] == '1' and 'SPUBLISH' or 'PUBLISH', KEYS[1], ARGV[3])
if ARGV[5] ~= '' then
  redis.call('PUBLISH', ARGV[5], ARGV[3])
end
return 1
