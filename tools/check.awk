# The rules of tools/check that look at C text. Reads tools/floors.txt first (FLOORS), then the files; prints findings as
# "file:line: rule: what; remedy". Works with mawk and gawk. Function ends are found by their closing brace in the first
# column, which clang-format guarantees.
function finding(line, rule, what) {
    print FILENAME ":" line ": " rule ": " what
}

function read_floors(   line, parts, names, count, i) {
    while ((getline line < FLOORS) > 0) {
        if (line ~ /^#/ || line !~ /:/)
            continue
        match(line, /:/)
        parts = substr(line, 1, RSTART - 1)
        count = split(substr(line, RSTART + 1), names, " ")
        if (parts == "system") {
            for (i = 1; i <= count; i++)
                system_header[names[i]] = 1
        } else if (parts ~ /^</) {
            door[substr(parts, 2, length(parts) - 2)] = substr(line, RSTART + 2)
        } else {
            is_room[parts] = 1
            allowed[parts, parts] = 1
            for (i = 1; i <= count; i++)
                allowed[parts, names[i]] = 1
        }
    }
}

# The line without comments and without what stands in quotes.
function code_of(line,   code, at, mark) {
    code = ""
    for (;;) {
        if (in_comment) {
            at = index(line, "*/")
            if (!at)
                return code
            line = substr(line, at + 2)
            in_comment = 0
        }
        if (!match(line, /["']|\/\*|\/\//))
            return code line
        mark = substr(line, RSTART, RLENGTH)
        code = code substr(line, 1, RSTART - 1)
        line = substr(line, RSTART)
        if (mark == "//")
            return code
        if (mark == "/*") {
            in_comment = 1
            line = substr(line, 3)
        } else if (mark == "\"" && match(line, /^"([^"\\]|\\.)*"/)) {
            code = code "\"\""
            line = substr(line, RLENGTH + 1)
        } else if (mark == "'" && match(line, /^'([^'\\]|\\.)+'/)) {
            code = code "0"
            line = substr(line, RLENGTH + 1)
        } else {
            return code
        }
    }
}

function calls(code, names) {
    return code ~ ("(^|[^A-Za-z0-9_.>])(" names ")[ ]*\\(")
}

function called(code, names,   text) {
    match(code, "(^|[^A-Za-z0-9_.>])(" names ")[ ]*\\(")
    text = substr(code, RSTART, RLENGTH)
    gsub(/[^a-z_]/, "", text)
    return text
}

function check_vendor(header,   name, found, folders, count, i) {
    if (header in system_header)
        return
    for (name in door)
        if (header == name || (name ~ /\/$/ && index(header, name) == 1))
            found = name
    if (found == "") {
        finding(FNR, "door", "<" header "> is in no list; give it one folder in tools/floors.txt")
        return
    }
    count = split(door[found], folders, " ")
    for (i = 1; i <= count; i++)
        if (index(FILENAME, folders[i] "/") == 1)
            return
    finding(FNR, "door", "<" header "> comes in through " door[found] " only; ask that folder for what you need")
}

function check_room(path,   slash, target) {
    slash = index(path, "/")
    if (!slash) {
        local = FILENAME
        sub(/[^\/]*$/, path, local)
        if ((getline ignored < local) < 0)
            finding(FNR, "floor", "\"" path "\" is not in this folder; write \"room/file.h\"")
        close(local)
        return
    }
    target = substr(path, 1, slash - 1)
    if (target == "weir" || folder == "test" || folder == "bench")
        return
    if (folder == "include" || folder == "examples")
        finding(FNR, "floor", folder " may include only weir/ headers, not \"" path "\"; use the public API")
    else if (!(room in is_room))
        finding(FNR, "floor", "the room " room " is not in tools/floors.txt; add its row")
    else if (!((room, target) in allowed))
        finding(FNR, "floor", room " may not include " target " (\"" path "\"); turn the dependency round or move the code down")
}

function check_calls(code,   unsafe) {
    unsafe = "strcpy|strcat|stpcpy|sprintf|vsprintf|gets|strtok|alloca|atoi|atol|atoll|atof|system|popen|rand|srand|tmpnam|mktemp"
    if (calls(code, unsafe))
        finding(FNR, "banned", called(code, unsafe) "() is banned; see STYLE.md, banned calls, for what to use")
    if (folder != "src")
        return
    if (room != "cli" && calls(code, "signal"))
        finding(FNR, "banned", "signal() belongs to src/cli; a library does not take its host's signals")
    if (room != "cli" && FILENAME != "src/base/clock.c" && calls(code, "time|clock_gettime|gettimeofday|timespec_get"))
        finding(FNR, "banned", called(code, "time|clock_gettime|gettimeofday|timespec_get") "() is banned here; take a weir_clock, time is handed in")
}

# A definition begins in the first column, has a parenthesis and no assignment, and its opening brace ends a line.
function check_function_length(raw, code) {
    if (raw ~ /^[A-Za-z_]/) {
        start = FNR
        signature = ""
    }
    if (raw ~ /^}/) {
        if (inside && FNR - begun + 1 > 60)
            finding(begun, "long function", name " has " (FNR - begun + 1) " lines, at most 60; give a part of it a name of its own")
        inside = 0
        signature = ""
        return
    }
    if (inside || raw ~ /^#/)
        return
    signature = signature code
    if (code ~ /{ *$/ && signature ~ /\(/ && signature !~ /=/) {
        inside = 1
        begun = start
        name = signature
        sub(/\(.*/, "", name)
        sub(/^.*[ *]/, "", name)
    } else if (code ~ /[;{}] *$/) {
        signature = ""
    }
}

function finish_file() {
    if (current != "" && current_folder == "src" && lines > 500)
        print current ":" lines ": long file: " lines " lines, at most 500; split it by concept"
}

BEGIN {
    read_floors()
}

FNR == 1 {
    finish_file()
    current = FILENAME
    folder = FILENAME
    sub(/\/.*/, "", folder)
    current_folder = folder
    room = FILENAME
    sub(/^src\//, "", room)
    sub(/\/.*/, "", room)
    in_comment = inside = continued = 0
    signature = ""
    if ($0 != "/* SPDX-License-Identifier: Apache-2.0 */")
        finding(1, "licence", "the first line is not /* SPDX-License-Identifier: Apache-2.0 */; write it there")
}

{
    lines = FNR
    code = code_of($0)
    if ($0 ~ /^[ \t]*#[ \t]*include[ \t]*</ && match($0, /<[^>]*>/))
        check_vendor(substr($0, RSTART + 1, RLENGTH - 2))
    else if ($0 ~ /^[ \t]*#[ \t]*include[ \t]*"/ && match($0, /"[^"]*"/))
        check_room(substr($0, RSTART + 1, RLENGTH - 2))
    if (folder == "src" || folder == "include" || folder == "examples")
        check_calls(code)
    if (folder == "src" && !continued)
        check_function_length($0, code)
    continued = $0 ~ /\\$/ && (continued || $0 ~ /^#/)
}

END {
    finish_file()
}
