#!/bin/sh
# Checks ledger segments with jq, openssl and awk, without the program that wrote them.
#
#   usage: sh check-ledger.sh logs/ledger-*.jsonl
#
# One line a segment: OK, its rows and its last hash; or BAD, and the first row that does not hold. Exit code 1 when any
# is BAD. A row holds when  leaf = sha256(salt body),  hash = sha256(prev leaf),  and prev is the hash of the row before.
# Of a row that was erased, salt and body are null: its leaf then stands for them. An unfinished last line, left by a
# process that was killed, is no row. The heads in collection.json say which last hashes are to be expected.
set -u
LC_ALL=C
export LC_ALL
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM

# a file a line of stdin, named by its number, without the line feed
split() { awk -v folder="$1" 'BEGIN { ORS = "" } { file = sprintf("%s/%09d", folder, NR); print > file; close(file) }'; }

# the SHA-256 of each file of a folder, in order
hashes() { (cd "$1" && ls | xargs openssl dgst -sha256 -r) | cut -d ' ' -f 1; }

check() {
    rm -rf "$work/leaf" "$work/link" && mkdir "$work/leaf" "$work/link" || exit 2
    if [ "$(tail -c 1 "$1" | wc -l)" -eq 1 ]; then cat "$1"; else sed '$d' "$1"; fi > "$work/whole"
    [ -s "$work/whole" ] || { echo "BAD $1: no row"; return 1; }
    jq -r '[.prev, .leaf, .hash, (.body == null | tostring)] | join(" ")' "$work/whole" > "$work/rows" 2> "$work/said" &&
        jq -r 'if .body == null then "" else .salt + .body end' "$work/whole" | split "$work/leaf" ||
        { echo "BAD $1: $(head -n 1 "$work/said")"; return 1; }
    # what the first row must follow: nothing, or the head that it names
    first=$(head -n 1 "$work/whole" |
        jq -r 'if .seq == 0 then "0" * 64 elif .body == null then .prev else (.body | fromjson | .prev_head) end')
    awk '{ print $1 $2 }' "$work/rows" | split "$work/link"
    hashes "$work/leaf" > "$work/leaves"
    hashes "$work/link" > "$work/links"
    paste -d ' ' "$work/rows" "$work/leaves" "$work/links" | awk -v name="$1" -v last="$first" '
        function bad(why) { print "BAD " name ": row " NR ": " why; wrong = 1; exit 1 }
        $1 != last { bad("prev is not the hash before it") }
        $4 == "false" && $5 != $2 { bad("the body was changed") }
        $6 != $3 { bad("hash does not follow") }
        { last = $3 }
        END { if (!wrong) print "OK  " name ": " NR " rows, last hash " last }'
}

[ $# -gt 0 ] || { echo "usage: sh check-ledger.sh logs/ledger-*.jsonl" >&2; exit 2; }
all=0
for segment in "$@"; do
    check "$segment" || all=1
done
exit $all
