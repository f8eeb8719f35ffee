#!/usr/bin/env bash
# Tortures five real servers of pbservice, and jobs of mapreduce: torture.sh [SECONDS=60] [LAB]
# Kills, pauses, full and rotten disks, emptied directories, idle and greedy connections. Fails if
# what clients saw is not linearizable, if anything acknowledged is lost, if the output of a job is
# wrong, or if a server leaks. Full disks need the right to mount one. Ctrl-C ends all of it.
set -euo pipefail

export TORTURE_SECONDS=${1:-60}
cd "$(dirname "$0")/.."

# Without cargo in between, which would end at Ctrl-C and leave the test to itself.
run() {
    "$1" --ignored --nocapture &
    local test=$!
    trap 'kill -TERM $test 2>/dev/null' INT TERM HUP
    until wait $test; do
        local code=$?
        kill -0 $test 2>/dev/null || exit $code
    done
}

for lab in ${2:-pbservice mapreduce}; do
    build=(cargo test --locked -p "$lab" --test torture --no-run)
    executable=$("${build[@]}" 2>&1 | sed -n 's/.*Executable.*(\(.*\))$/\1/p' || true)
    [[ -n $executable ]] || exec "${build[@]}"
    echo "== torture of $lab"
    run "$executable"
done
