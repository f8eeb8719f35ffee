#!/usr/bin/env bash
# Makes sure that the compiler has a standard library for another target: add-target.sh TARGET
# Fails if there is none and rustup, where it manages the toolchain, cannot bring it within a minute.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$1

has_library() {
    compgen -G "$(rustc --print target-libdir --target "$target")/libstd-*.rlib" >/dev/null
}

# Runs a command for that many seconds at most. Not every system has `timeout`.
limited() {
    local seconds=$1 child
    shift
    "$@" &
    child=$!
    for (( ; seconds > 0; seconds--)); do
        kill -0 "$child" 2>/dev/null || break
        sleep 1
    done
    kill "$child" 2>/dev/null || true
    wait "$child"
}

if ! has_library && command -v rustup >/dev/null; then
    limited 60 rustup target add "$target" || true
fi
has_library
