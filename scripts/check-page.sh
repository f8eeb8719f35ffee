#!/usr/bin/env bash
# Checks the pages of `cargo lab show` in a real browser: a run of every simulated lab, and a made-up
# run with 100 000 events whose speed is measured. Needs Node and, of Debian, chromium and
# chromium-driver; without them it is skipped. Screenshots stay in the directory that it prints.
set -euo pipefail
cd "$(dirname "$0")/.."

find_program() {
    local name
    for name in "$@"; do
        command -v "$name" && return
    done
    return 1
}

if ! node=$(find_program node nodejs) || ! driver=$(find_program chromedriver) ||
    ! browser=$(find_program chromium chromium-browser google-chrome); then
    printf '\n== skipped: the check of pages, which needs node, chromedriver and chromium\n'
    exit 0
fi

pages=${1:-$(mktemp -d)}
mkdir -p "$pages"
for run in "raft backup_2b" "kvraft one_partition_3a" "shardctrler basic_leave_join_4a" "shardkv join_leave_4b" \
    "pbservice old_primary_returns"; do
    read -r lab test <<<"$run"
    cargo lab show "$test" 7 --no-open -o "$pages/$lab.html"
done
"$node" lab/tests/browser/synthetic.mjs 100000 |
    cargo run --quiet --locked -p picture --example page >"$pages/synthetic.html"
"$node" lab/tests/browser/check.mjs "$driver" "$browser" "$pages" "$pages"/*.html
printf 'screenshots: %s\n' "$pages"
