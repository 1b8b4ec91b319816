#!/bin/sh
# Renews the hashed locks. Every file of every release that fits Python >= 3.11 is listed, so that one lock serves all
# supported versions and machines; no address is written.
set -eu
cd "$(dirname "$0")/requirements"
UV=${UV:-../../.venv/bin/uv}

lock() {
    output=$1
    shift
    "$UV" pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.11 \
        --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" -o "$output" "$@"
}

lock build.txt build.in
lock runtime.txt ../../pyproject.toml
lock dev.txt --group ../../pyproject.toml:dev -c runtime.txt
lock pywb.txt pywb.in
lock pywb-build.txt pywb-build.in
lock node.txt node.in
for home in consent axe replaywebpage; do
    (cd "../$home" && npm install --package-lock-only --ignore-scripts)
done
