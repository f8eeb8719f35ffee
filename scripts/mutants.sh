#!/usr/bin/env bash
# Changes the reference solutions at every place where cargo-mutants can, one change at a time, and
# runs the grading tests: mutants.sh [LAB...] [-- OPTION...]
# Without arguments, raft, kvraft, shardctrler, shardkv, pbservice and mapreduce. Options go to
# cargo-mutants, for instance `-- --iterate` to leave out what an earlier run has caught. The results
# are in target/mutants/LAB/mutants.out; what to make of survivors is in bugs/mutants.md. It changes
# a copy of the tree, works at the lowest priority, and takes hours.
# It needs cargo-mutants: cargo install cargo-mutants --locked
set -euo pipefail
cd "$(dirname "$0")/.."

labs=()
while [[ $# -gt 0 && $1 != -- ]]; do
    labs+=("$1")
    shift
done
shift || true
[[ ${#labs[@]} -gt 0 ]] || labs=(raft kvraft shardctrler shardkv pbservice mapreduce)
output=${CARGO_TARGET_DIR:-target}/mutants
mkdir -p "$output"

# Three seeds, always the same; without debug information, which is not used. A test that never ends
# is stopped by its processor time, which a busy machine does not change.
export LAB_SEED=1 LAB_RUNS=3 CARGO_PROFILE_DEV_DEBUG=0
ulimit -t 60
for lab in "${labs[@]}"; do
    # Given files are not the student's: tests of their own judge them. The tests' own programs are
    # no solution. Survivors are no failure.
    nice -n 19 cargo mutants --package "$lab" --exclude '**/given/**' --exclude '**/tests/**' \
        --output "$output/$lab" --cargo-arg=--test=grading --timeout 600 --build-timeout 600 \
        --no-times "$@" ||
        [[ $? == [23] ]]
done
