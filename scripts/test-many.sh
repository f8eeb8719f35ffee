#!/usr/bin/env bash
# Runs tests many times: test-many.sh [RUNS=100] [PARALLELISM=cpus] [TESTPATTERN='']
# The arguments of the script that the course's students pass around, on top of `cargo lab stress`:
# a run is one seed of all tests that the pattern means; Ctrl-C stops, and the same command resumes.
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
