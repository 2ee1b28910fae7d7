-- Replays requests that were signed beforehand, each of them once: `wrk -s replay.lua URL -- FILE`.
-- The file holds requests as they go over the wire, each after its length in ten digits.

local threads = {}

function setup(thread)
   table.insert(threads, thread)
end

function init(arguments)
   file = assert(io.open(arguments[1], "rb"))
   refused = 0
end

function request()
   local length = file:read(10)
   if length == nil then
      wrk.thread:stop()
      return wrk.format("GET", "/healthz")
   end
   return file:read(tonumber(length))
end

function response(status)
   if status ~= 200 then
      refused = refused + 1
   end
end

function done(summary, latency)
   local refusals = 0
   for _, thread in ipairs(threads) do
      refusals = refusals + thread:get("refused")
   end
   io.write(string.format(
      '\nRESULT {"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "refused": %d, "broken": %d}\n',
      summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), refusals,
      summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
