-- wrk's load where one fixed GET does not do, and its counts as one line that a script can read.
--   wrk ... -s load.lua URL                    GET of the URL
--   wrk ... -s load.lua URL -- post BYTES      POST of so many bytes of JSON
--   wrk ... -s load.lua URL -- sessions BYTES  the same, each of another of 1,000 sessions
--   wrk ... -s load.lua URL -- reads BYTES     GET, each of another of 1,000 sessions, with the same body
--   wrk ... -s load.lua URL -- paths FILE      GET of the paths in FILE, one a line, in turn
function init(args)
    if args[1] == "post" then
        wrk.method = "POST"
        wrk.headers["Content-Type"] = "application/json"
        wrk.body = '{"note":"' .. string.rep("x", tonumber(args[2]) - 11) .. '"}'
    elseif args[1] == "sessions" or args[1] == "reads" then
        local requests, next = {}, 0
        local body = '{"note":"' .. string.rep("x", tonumber(args[2]) - 11) .. '"}'
        for session = 1, 1000 do
            wrk.headers["Content-Type"] = "application/json"
            wrk.headers["Cookie"] = "session=" .. session
            requests[session] = wrk.format(args[1] == "reads" and "GET" or "POST", nil, nil, body)
        end
        request = function()
            next = next % #requests + 1
            return requests[next]
        end
    elseif args[1] == "paths" then
        local requests, next = {}, 0
        for path in io.lines(args[2]) do
            requests[#requests + 1] = wrk.format(nil, path)
        end
        request = function()
            next = next % #requests + 1
            return requests[next]
        end
    end
end

-- load REQUESTS BYTES MICROSECONDS ERRORS
function done(summary)
    local e = summary.errors
    io.write(string.format("load %d %d %d %d\n", summary.requests, summary.bytes, summary.duration,
        e.connect + e.read + e.write + e.status + e.timeout))
end
