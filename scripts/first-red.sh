#!/usr/bin/env bash
# Usage: scripts/first-red.sh [HANDOUT]
#
# Measures how long students wait for their first red test: clones a handout, of this tree by default,
# and runs the first command of the guide of lab 2, with and without `cargo lab`. Each command starts
# with an empty target directory. The registry must be filled: run `cargo fetch` before.
set -euo pipefail
handout=${1:-}
[[ -z $handout ]] || handout=$(realpath "$handout")
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [[ -z $handout ]]; then
    handout=$work/handout
    cargo grader handout "$handout"
fi
unset CARGO_TARGET_DIR RUST_BACKTRACE
export CARGO_NET_OFFLINE=true

measure() {
    rm -rf "$work/clone"
    git clone --quiet "$handout" "$work/clone"
    local TIMEFORMAT='%R s of real time, %U s + %S s of CPU'
    local status=0
    printf '%-32s' "$*"
    time (cd "$work/clone" && "$@" >"$work/output" 2>&1) || status=$?
    if ! grep -q 'is not written yet' "$work/output"; then
        cat "$work/output"
        echo "$*: exit code $status, and no test has failed as expected" >&2
        exit 1
    fi
}

measure cargo lab test 2A
measure cargo test -p raft 2a
