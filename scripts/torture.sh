#!/usr/bin/env bash
# Tortures five real servers of pbservice: torture.sh [SECONDS=60]
# Kills, pauses, full disks, emptied directories, idle and greedy connections. Fails if what clients
# saw is not linearizable, if anything acknowledged is lost, or if a server leaks. Full disks need
# the right to mount one. Ctrl-C ends everything that was started.
set -euo pipefail

export TORTURE_SECONDS=${1:-60}
cd "$(dirname "$0")/.."
exec cargo test -q --locked -p pbservice --test torture -- --ignored --nocapture
