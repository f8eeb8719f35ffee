#!/usr/bin/env bash
# Runs tests many times: test-many.sh [RUNS=100] [PARALLELISM=cpus] [TESTPATTERN='']
# It has the arguments of the script that students of the course use, and runs `cargo lab stress`: a
# run is one seed of all matching tests. Ctrl-C stops it, and the same command resumes.
set -euo pipefail

runs=${1:-100}
parallelism=${2:-}
pattern=${3:-all}

if [[ -n ${LAB_COMMAND:-} ]]; then
    lab=("$LAB_COMMAND")
else
    cd "$(dirname "$0")/.."
    lab=(cargo lab)
fi
exec "${lab[@]}" stress "$pattern" -n "$runs" ${parallelism:+-p "$parallelism"} --status-line
