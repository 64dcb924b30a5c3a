-- tempo-edge: search inside the file that mpv plays.
--
-- Ctrl+f asks what to look for, Alt+f lists what was found, Alt+l loops over the moment.
-- Other keys: `KEY script-binding tempo_edge/next` (or previous, search, list, loop) in input.conf.
-- Settings: ~/.config/mpv/script-opts/tempo-edge.conf, a `name=value` a line.

local mp = require "mp"
local msg = require "mp.msg"
local options = require "mp.options"
local utils = require "mp.utils"

local has_input, input = pcall(require, "mp.input") -- from mpv 0.38 on

local settings = {
    command = "tempo-edge", -- the program, by name or path
    library = "", -- a library other than the usual one
    limit = 10, -- most moments to show
    min_confidence = "", -- likelier than this, from 0 to 1; by default calibrated
}
options.read_options(settings, "tempo-edge")

local moments = {} -- of the file that is open, the likeliest first
local current = 0 -- the one that was jumped to last
local running -- the search under way

local function say(text, seconds)
    msg.info(text)
    mp.osd_message(text, seconds or 3)
end

-- For other scripts, and whoever listens on the socket; mpv before 0.36 has no such property.
local function publish(state)
    pcall(mp.set_property_native, "user-data/tempo-edge", {
        state = state,
        current = current,
        moments = moments,
    })
end

local function clock(seconds)
    local whole = math.floor(seconds)
    local text = string.format("%02d:%04.1f", math.floor(whole / 60) % 60, seconds % 60)
    if whole >= 3600 then
        text = string.format("%d:%s", math.floor(whole / 3600), text)
    end
    return text
end

local function describe(index)
    local moment = moments[index]
    return string.format(
        "%d/%d  %s–%s  %.2f",
        index, #moments, clock(moment.start_seconds), clock(moment.end_seconds), moment.confidence
    )
end

local function decoded(text)
    return (text:gsub("%%(%x%x)", function(digits)
        return string.char(tonumber(digits, 16))
    end))
end

-- The absolute path of the file that is open; nil, and why, where it is none.
local function open_file()
    local path = mp.get_property("path")
    if not path then
        return nil, "nothing is open"
    end
    local scheme, rest = path:match("^(%a[%w+.-]*)://(.*)$")
    if scheme == "file" then
        return decoded(rest)
    end
    if scheme or path == "-" then
        return nil, "only files can be searched, not " .. (scheme or "a stream")
    end
    return utils.join_path(mp.get_property("working-directory", ""), path)
end

-- Where a moment is played from: shortly before a line of words.
local function cue(moment)
    return moment.cue_seconds or moment.start_seconds
end

local function jump(index)
    local moment = moments[index]
    if not moment then
        say("tempo-edge: nothing was found yet")
        return
    end
    current = index
    if mp.get_property("ab-loop-a", "no") ~= "no" then
        mp.set_property_number("ab-loop-a", cue(moment))
        mp.set_property_number("ab-loop-b", moment.end_seconds)
    end
    mp.commandv("seek", cue(moment), "absolute+exact")
    publish("found")
    say(describe(index))
end

local function step(by)
    if #moments == 0 then
        jump(0)
    else
        jump((current - 1 + by) % #moments + 1)
    end
end

local function loop()
    local moment = moments[current]
    if not moment then
        say("tempo-edge: nothing was found yet")
    elseif mp.get_property("ab-loop-a", "no") == "no" then
        mp.set_property_number("ab-loop-a", cue(moment))
        mp.set_property_number("ab-loop-b", moment.end_seconds)
        say("loops over " .. describe(current))
    else
        mp.set_property("ab-loop-a", "no")
        mp.set_property("ab-loop-b", "no")
        say("no longer loops")
    end
end

local function list()
    if #moments == 0 then
        jump(0)
        return
    end
    local items = {}
    for index = 1, #moments do
        items[index] = describe(index)
    end
    if has_input and input.select then
        input.select({ prompt = "Moments:", items = items, default_item = current, submit = jump })
    else
        say(table.concat(items, "\n"), 6)
    end
end

-- The last line that a program wrote, without the name of the program.
local function complaint(text)
    local last = (text or ""):match("([^\n]+)\n*$") or ""
    return (last:gsub("^tempo%-edge: error: ", ""))
end

local function arrived(result, failure)
    if result and result.killed_by_us then
        return
    end
    if not result or result.error_string == "init" then
        publish("failed")
        say("tempo-edge can't be started: is " .. settings.command .. " in your PATH?", 6)
        msg.verbose(failure or "")
    elseif result.status == 1 then
        publish("nothing")
        say("nothing matches")
    elseif result.status ~= 0 then
        publish("failed")
        say("tempo-edge: " .. complaint(result.stderr), 6)
    else
        for line in result.stdout:gmatch("[^\n]+") do
            local moment = utils.parse_json(line)
            if moment then
                moments[#moments + 1] = moment
            end
        end
        jump(1)
        list()
    end
end

local function find(query)
    if query:match("^%s*$") then
        return
    end
    local path, why = open_file()
    if not path then
        say("tempo-edge: " .. why)
        return
    end
    -- Words of their own: no shell sees the query or the name.
    local words = { settings.command, "find", "--json", "--limit", tostring(settings.limit) }
    for name, value in pairs({
        ["--library"] = settings.library,
        ["--min-confidence"] = settings.min_confidence,
    }) do
        if value ~= "" then
            words[#words + 1] = name
            words[#words + 1] = value
        end
    end
    for _, word in ipairs({ "--in", path, "--", query }) do
        words[#words + 1] = word
    end
    if running then
        mp.abort_async_command(running)
    end
    moments, current = {}, 0
    publish("searching")
    say("looking for " .. query, 60)
    local mine
    mine = mp.command_native_async({
        name = "subprocess",
        args = words,
        playback_only = false,
        capture_stdout = true,
        capture_stderr = true,
    }, function(_, result, failure)
        if running ~= mine then
            return -- another one was asked for meanwhile
        end
        running = nil
        arrived(result, failure)
    end)
    running = mine
end

local function ask()
    if not has_input then
        say("needs mpv 0.38: or type `script-message tempo-edge-find WORDS` in the console", 6)
        return
    end
    input.get({
        prompt = "Find in this file:",
        submit = function(text)
            input.terminate()
            find(text)
        end,
    })
end

-- Another file has other moments.
mp.register_event("start-file", function()
    if running then
        mp.abort_async_command(running)
        running = nil
    end
    moments, current = {}, 0
    publish("idle")
end)

mp.add_key_binding("Ctrl+f", "search", ask)
mp.add_key_binding("Alt+f", "list", list)
mp.add_key_binding("Alt+l", "loop", loop)
mp.add_key_binding(nil, "next", function() step(1) end)
mp.add_key_binding(nil, "previous", function() step(-1) end)
mp.register_script_message("tempo-edge-find", function(...)
    find(table.concat({ ... }, " "))
end)
mp.register_script_message("tempo-edge-jump", function(index) jump(tonumber(index) or 0) end)
