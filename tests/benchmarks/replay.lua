-- Replays requests that were signed beforehand: `wrk -s replay.lua URL -- FILE once|again`.
-- `once` sends each of them once and reports it when there were too few; `again` begins anew at the end.
-- The file holds requests as they go over the wire, each after its length in ten digits.

local threads = {}

function setup(thread)
   table.insert(threads, thread)
end

function init(arguments)
   file = assert(io.open(arguments[1], "rb"))
   again = arguments[2] == "again"
   refused = 0
   exhausted = 0
end

function request()
   local length = file:read(10)
   if length == nil then
      if not again then
         exhausted = 1
      end
      file:seek("set")
      length = file:read(10)
   end
   return file:read(tonumber(length))
end

function response(status)
   if status ~= 200 then
      refused = refused + 1
   end
end

function done(summary, latency)
   local refusals, ended = 0, 0
   for _, thread in ipairs(threads) do
      refusals = refusals + thread:get("refused")
      ended = ended + thread:get("exhausted")
   end
   io.write(string.format(
      '\nRESULT {"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "refused": %d, "exhausted": %d, "broken": %d}\n',
      summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), refusals, ended,
      summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
