#!/bin/sh
# A scheduled crawl: what systemd, cron and the container run. It calls `archiver` and keeps no rules of its own.
#
#   nightly.sh once CONFIG.yaml              crawl, upload what is left, check a part of the bucket
#   nightly.sh loop HH:MM CONFIG.yaml...     that, for each file in turn, every day at HH:MM (the machine's time zone)
#   nightly.sh healthy                       exit 0 while the loop is alive and its last night went well
#
# The collection is named in the file (`collection:`), else it is the file's own name. From the environment:
#   ARCHIVER       the command (default: archiver beside this checkout, else the one on PATH)
#   OUT            folder that holds collections/ (default: /var/lib/archiver/crawls)
#   UPLOAD_TRIES   how often what is left is tried again (6), UPLOAD_PAUSE seconds apart (600)
#   VERIFY_SAMPLE  part of the bucket read back each night (5%; empty: none)
#   STORE_*        the bucket; without STORE_ENDPOINT_URL and STORE_BUCKET nothing is uploaded
#
# Exit codes are those of `archiver` (docs/operator/exit-codes.md): the crawl's, or of the first later step that failed.
set -u

here=$(cd "$(dirname "$0")/.." && pwd)
if [ -x "$here/.venv/bin/archiver" ]; then beside=$here/.venv/bin/archiver; else beside=archiver; fi
ARCHIVER=${ARCHIVER:-$beside}
OUT=${OUT:-/var/lib/archiver/crawls}
STATE=$OUT/.nightly
UPLOAD_TRIES=${UPLOAD_TRIES:-6}
UPLOAD_PAUSE=${UPLOAD_PAUSE:-600}
VERIFY_SAMPLE=${VERIFY_SAMPLE-5%}
child=''

say() { printf '%s nightly: %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*" >&2; }

usage() { sed -n '2,/^set /{/^#/s/^# \{0,1\}//p;}' "$0" >&2; exit 2; }

# A signal goes to the command in hand, which finishes its work; the shell waits for it.
run() {
    "$@" &
    child=$!
    if [ -n "$stopping" ]; then stop_child; fi  # the signal came just before
    wait "$child"
    code=$?
    while [ "$code" -gt 128 ]; do  # `wait` was cut short by a signal that was passed on, or the command died of one
        wait "$child" 2>/dev/null
        again=$?
        if [ "$again" -eq 127 ] || [ "$again" -eq "$code" ]; then break; fi
        code=$again
    done
    child=''
    return "$code"
}

pass_on() {
    stopping=1
    if [ -n "$child" ]; then stop_child; fi
}

# Between fork and exec the child is still this shell, and drops a signal: it is sent once the command is there.
stop_child() {
    looks=0
    while [ "$looks" -lt 100 ] && cmp -s "/proc/$$/cmdline" "/proc/$child/cmdline"; do
        sleep 0.05
        looks=$((looks + 1))
    done
    kill -TERM "$child" 2>/dev/null
}

collection_of() {
    named=$(sed -n 's/^collection:[[:space:]]*["'\'']\{0,1\}\([a-z0-9_-]*\).*/\1/p' "$1" | head -n 1)
    if [ -n "$named" ]; then printf '%s' "$named"; else basename "$1" | sed 's/\.ya\{0,1\}ml$//'; fi
}

has_store() { [ -n "${STORE_ENDPOINT_URL:-}${STORE_BUCKET:-}" ]; }

upload() {
    tries=0
    while :; do
        run "$ARCHIVER" upload "$1" --out "$OUT"
        uploaded=$?
        tries=$((tries + 1))
        if [ "$uploaded" -ne 22 ] || [ "$tries" -ge "$UPLOAD_TRIES" ] || [ -n "$stopping" ]; then return "$uploaded"; fi
        say "$1: the store does not take all yet; again in $UPLOAD_PAUSE s"
        run sleep "$UPLOAD_PAUSE"
    done
}

once() {
    config=$1
    [ -r "$config" ] || { say "$config cannot be read"; return 4; }
    name=$(collection_of "$config")
    mkdir -p "$STATE" || return 3
    exec 9>"$STATE/$name.lock"
    flock -n 9 || { say "$name: the last night's crawl is still running"; return 0; }
    say "$name: crawl"
    run "$ARCHIVER" crawl "$config" --collection "$name" --out "$OUT"
    worst=$?
    say "$name: crawl ended with $worst"
    case $worst in 2|4|11|13|33) exec 9>&-; return "$worst" ;; esac
    if has_store; then
        upload "$name"
        later=$?
        if [ "$later" -ne 0 ]; then say "$name: upload ended with $later"; fi
        # what the crawl could not upload (22) is up now, or still is not
        if [ "$worst" -eq 0 ] || [ "$worst" -eq 22 ]; then worst=$later; fi
        if [ "$later" -eq 0 ] && [ -n "$VERIFY_SAMPLE" ] && [ -z "$stopping" ]; then
            run "$ARCHIVER" verify --remote "$name" --sample "$VERIFY_SAMPLE" --out "$OUT"
            later=$?
            if [ "$later" -ne 0 ]; then say "$name: verify ended with $later"; fi
            if [ "$worst" -eq 0 ]; then worst=$later; fi
        fi
    fi
    exec 9>&-
    return "$worst"
}

next_due() {  # seconds from now until HH:MM
    now=$(date +%s)
    due=$(date -d "today $1" +%s) || return 1
    if [ "$due" -le "$now" ]; then due=$(date -d "tomorrow $1" +%s); fi
    echo $((due - now))
}

# `healthy` may look at any moment: the file is there, and whole.
lives() { echo "$1" >"$STATE/lives" && mv "$STATE/lives" "$STATE/alive"; }

loop() {
    at=$1
    shift
    next_due "$at" >/dev/null 2>&1 || usage
    mkdir -p "$STATE" || exit 3
    : >"$STATE/failed"
    while [ -z "$stopping" ]; do
        rest=$(next_due "$at")
        say "next at $at, in $rest s"
        end=$(($(date +%s) + rest))
        while [ -z "$stopping" ] && [ "$(date +%s)" -lt "$end" ]; do
            lives "$(date +%s)"
            left=$((end - $(date +%s)))
            run sleep "$((left < 60 ? (left > 0 ? left : 0) : 60))"
        done
        [ -n "$stopping" ] || night "$@"
    done
}

night() {
    : >"$STATE/failing"
    for config; do
        [ -z "$stopping" ] || return
        lives running
        once "$config"
        code=$?
        case $code in
            0|9|11|13|14|15|30|31|32) ;;  # what sites said, or a limit that was set: told by `archiver report`
            *) printf '%s %s\n' "$code" "$config" >>"$STATE/failing" ;;
        esac
    done
    mv "$STATE/failing" "$STATE/failed"
}

healthy() {
    if [ -s "$STATE/failed" ]; then cat "$STATE/failed"; exit 1; fi
    alive=$(cat "$STATE/alive" 2>/dev/null) || { echo "the loop has not begun"; exit 1; }
    [ "$alive" = running ] && exit 0
    age=$(($(date +%s) - alive))
    [ "$age" -lt 180 ] || { echo "the loop was last seen $age s ago"; exit 1; }
}

stopping=''
trap pass_on TERM INT HUP
case ${1:-} in
    once) [ $# -eq 2 ] || usage; once "$2"; exit $? ;;
    loop) [ $# -ge 3 ] || usage; shift; loop "$@" ;;
    healthy) healthy ;;
    *) usage ;;
esac
