#!/usr/bin/env bash
# Runs the tests of labrpc, raft and kvraft for aarch64 Linux under qemu: the golden hashes must be
# the same there. On Debian this needs qemu-user, gcc-aarch64-linux-gnu and libc6-dev-arm64-cross.
# The target's standard library is rustup's, or that of a sysroot in AARCH64_SYSROOT, which has to
# be made for the same compiler.
set -euo pipefail
cd "$(dirname "$0")/.."
target=aarch64-unknown-linux-gnu

# 2 means that nothing is known, as it does for `cargo lab`.
skip() {
    echo "skipped: $*" >&2
    exit 2
}

for program in qemu-aarch64 aarch64-linux-gnu-gcc; do
    command -v "$program" >/dev/null || skip "there is no $program"
done
if [[ -n ${AARCH64_SYSROOT:-} ]]; then
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS="--sysroot $AARCH64_SYSROOT"
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTDOCFLAGS="--sysroot $AARCH64_SYSROOT"
else
    scripts/add-target.sh "$target" || skip "there is no standard library for $target"
fi

export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
# Tests that start their program again read this too.
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -L /usr/aarch64-linux-gnu"
# qemu keeps 280 KiB of each thread that has ended, so there is no point in measuring the memory.
cargo test --locked --target "$target" -p labrpc -p raft -p kvraft -- \
    --skip memory_and_threads_stay_flat_over_many_runs
