# The examples of the check rules, made from their fixtures: awk -f rule-examples.awk test/fixture/checks/*/catalog.yaml
#
# A fixture begins with "# expect: C101 catalog.yaml:9:22 the message". Its example is that line of that file with the
# lines it stands below (those of less indentation before it), a mark under the column, and the message:
#
#   == C101
#   streams:
#     LATE: {subjects: [order.late.*], max_age: 30d}
#                       ^ stream 'LATE' takes ...
function indentation(line) { match(line, /^ */); return RLENGTH }

function show(file, at, column, message,    lines, count, line, i, least, first, mark) {
    while ((getline line < file) > 0) lines[++count] = line
    close(file)
    if (at > count) { print "# " message; return }
    least = indentation(lines[at])
    kept[first = 0] = lines[at]
    for (i = at - 1; i > 0 && least > 0; i--)
        if (lines[i] !~ /^ *(#|$)/ && indentation(lines[i]) < least) {
            least = indentation(lines[i])
            kept[++first] = lines[i]
        }
    for (i = first; i >= 0; i--) print kept[i]
    mark = sprintf("%" (column - 1) "s", "")
    print (column > 40 ? "# " message : mark "^ " message)
}

# One finding per fixture: the rule's own, which stands first or is the one of the folder's rule.
FNR == 1 && /^# expect: C[0-9]+ / {
    code = $3
    split($4, place, ":")
    message = $0
    sub(/^# expect: C[0-9]+ [^ ]+ /, "", message)
    folder = FILENAME
    sub(/[^\/]*$/, "", folder)
    print "== " code
    show(folder place[1], place[2] + 0, place[3] + 0, message)
}
