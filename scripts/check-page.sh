#!/usr/bin/env bash
# Checks the pages of `cargo lab show` in a real browser: a run of every simulated lab, the longest
# runs, and a made-up one with 100 000 events. The speed of the long ones is measured, and no page has
# more than 5 MB. Needs Node and, of Debian, chromium and
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
for test in backup_2b unreliable_churn_2c one_partition_3a snapshot_recover_many_clients_3b \
    basic_leave_join_4a join_leave_4b many_groups_4b old_primary_returns; do
    cargo lab show "$test" 7 --no-open -o "$pages/$test.html"
done
"$node" lab/tests/browser/synthetic.mjs 100000 |
    cargo run --quiet --locked -p picture --example page >"$pages/synthetic.html"
for page in "$pages"/*.html; do
    size=$(wc -c <"$page")
    ((size <= 5000000)) || { printf '%s has %s bytes\n' "$page" "$size" >&2 && exit 1; }
done
"$node" lab/tests/browser/check.mjs "$driver" "$browser" "$pages" "$pages"/*.html
printf 'screenshots: %s\n' "$pages"
