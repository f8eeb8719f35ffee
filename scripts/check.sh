#!/usr/bin/env bash
# Everything that CI checks. Needs Rust only: rustup installs the pinned toolchain by itself.
# What is compiled for other platforms is skipped where their standard library is not to be had.
set -euo pipefail
cd "$(dirname "$0")/.."

step() {
    printf '\n== %s\n' "$*"
    "$@"
}

# Where rustup manages the toolchain, these two may be missing; elsewhere they come with it.
if command -v rustup >/dev/null; then
    rustup component list --installed 2>/dev/null | grep -q '^clippy' || rustup component add clippy
    rustup component list --installed 2>/dev/null | grep -q '^rustfmt' || rustup component add rustfmt
fi

step cargo fmt --all --check
step cargo clippy --workspace --all-targets --locked -- -D warnings
step env RUSTDOCFLAGS="-D warnings --document-private-items" cargo doc --workspace --no-deps --locked
host=$(rustc --print host-tuple)
for target in aarch64-apple-darwin aarch64-unknown-linux-gnu; do
    if [[ $target == "$host" ]]; then
        continue
    elif scripts/add-target.sh "$target"; then
        step cargo clippy --workspace --exclude benches --all-targets --locked --target "$target" -- -D warnings
    else
        printf '\n== skipped: %s, of which this machine has no standard library\n' "$target"
    fi
done
step cargo test --workspace --locked
