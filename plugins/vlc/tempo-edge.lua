-- tempo-edge: search inside the file that VLC 3 plays, from its menu View > tempo-edge.
--
-- VLC gives an extension no way to start a program but through a shell, so that every word is
-- quoted for it here.

local COMMAND = "tempo-edge"

local dialog, words_field, results, status -- what is on the screen
local moments = {} -- in the order of the list

function descriptor()
    return {
        title = "tempo-edge",
        version = "1",
        author = "tempo-edge",
        shortdesc = "Search inside this video",
        description = "Says where in the current file something can be seen, and jumps there. "
            .. "The file must be in your tempo-edge library.",
        capabilities = {},
    }
end

-- One word for a POSIX shell, whatever it holds: within single quotes nothing means anything, and
-- a single quote ends them, stands by itself behind a backslash, and begins them anew.
function quote(word)
    if word:find("%z") then
        error("a word for the shell can't hold a NUL byte")
    end
    return "'" .. word:gsub("'", "'\\''") .. "'"
end

function command_line(path, query)
    local words = { COMMAND, "find", "--json", "--in", path, "--", query }
    for index, word in ipairs(words) do
        words[index] = quote(word)
    end
    -- Lua 5.1 doesn't tell the exit status of what it read from: it is the last line.
    return table.concat(words, " ") .. " 2>&1; printf '\\n%d\\n' $?"
end

-- The moments in what the program wrote; or nil, and why there are none.
function read_answer(output)
    local body, code = output:match("^(.*)\n(%d+)\n$")
    if code == "1" then
        return nil, "Nothing matches."
    elseif code == "127" then
        return nil, COMMAND .. " is not in your PATH."
    elseif code ~= "0" then
        local complaint = (body or ""):match("([^\n]+)\n*$") or "tempo-edge could not be run."
        return nil, (complaint:gsub("^tempo%-edge: error: ", ""))
    end
    local found = {}
    for line in body:gmatch("[^\n]+") do
        -- A quote within a path is written \", so that no path looks like these names.
        local first = tonumber(line:match('"start_seconds": ([%d.eE+-]+)'))
        local after = tonumber(line:match('"end_seconds": ([%d.eE+-]+)'))
        -- Where it is played from: shortly before a line of words.
        local cue = tonumber(line:match('"cue_seconds": ([%d.eE+-]+)'))
        local likely = tonumber(line:match('"confidence": ([%d.eE+-]+)'))
        if first and after and likely then
            found[#found + 1] = { first = first, after = after, likely = likely, cue = cue }
        end
    end
    return found
end

function clock(seconds)
    local text = string.format("%02d:%04.1f", math.floor(seconds / 60) % 60, seconds % 60)
    if seconds >= 3600 then
        text = string.format("%d:%s", math.floor(seconds / 3600), text)
    end
    return text
end

-- The path of the file that plays; nil, and why, where there is none.
function open_file()
    local item = vlc.input.item()
    if not item then
        return nil, "Nothing is open."
    end
    local address = item:uri()
    if not address:find("^file://") then
        return nil, "Only files can be searched."
    end
    return vlc.strings.decode_uri((address:gsub("^file://", "")))
end

function find(query)
    local path, why = open_file()
    if not path then
        return nil, why
    end
    local pipe = io.popen(command_line(path, query), "r")
    local output = pipe:read("*a")
    pipe:close()
    return read_answer(output)
end

-- VLC counts a play's time in microseconds.
function jump(moment)
    local input = vlc.object.input()
    if input then
        vlc.var.set(input, "time", math.floor((moment.cue or moment.first) * 1000000 + 0.5))
    end
end

function search_pressed()
    local query = words_field:get_text()
    if not query:find("%S") then
        return
    end
    status:set_text("Looking...")
    dialog:update()
    local found, why = find(query)
    moments = found or {}
    results:clear()
    for index, moment in ipairs(moments) do
        local line = "%s - %s   %.2f"
        results:add_value(
            line:format(clock(moment.first), clock(moment.after), moment.likely), index
        )
    end
    status:set_text(why or (#moments .. " found: choose one."))
    if moments[1] then
        jump(moments[1])
    end
end

function jump_pressed()
    local chosen = next(results:get_selection())
    if chosen and moments[chosen] then
        jump(moments[chosen])
    end
end

function activate()
    dialog = vlc.dialog("tempo-edge")
    words_field = dialog:add_text_input("", 1, 1, 2, 1)
    dialog:add_button("Find", search_pressed, 3, 1, 1, 1)
    results = dialog:add_list(1, 2, 3, 1)
    dialog:add_button("Jump there", jump_pressed, 3, 3, 1, 1)
    status = dialog:add_label("What is to be seen?", 1, 3, 2, 1)
    dialog:show()
end

function deactivate()
    if dialog then
        dialog:delete()
        dialog = nil
    end
end

function close()
    vlc.deactivate()
end

function meta_changed() end
