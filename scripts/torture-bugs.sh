#!/usr/bin/env bash
# Shows which planted bugs the torture of pbservice finds: torture-bugs.sh [SECONDS=90] [BUG...]
# Builds the program with each of bugs/pbservice/BUG.patch, in a separate tree, and tortures it for
# at most that time. Prints a line of a table for each.
set -euo pipefail

export TORTURE_SECONDS=${1:-90}
bugs=("${@:2}")
cd "$(dirname "$0")/.."
if [[ ${#bugs[@]} == 0 ]]; then
    bugs=($(sed -n 's/^| `\(.*\)` |.*/\1/p' pbservice/tests/torture/README.md))
fi
tree=$(mktemp -d)
trap 'git worktree remove --force "$tree"' EXIT
git worktree add --quiet --detach "$tree"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}/torture-bugs
executable=$(cd "$tree" && cargo test --locked -p pbservice --test torture --no-run 2>&1 |
    sed -n 's/.*Executable.*(\(.*\))$/\1/p')
cp "$executable" "$tree/torture"
for bug in "${bugs[@]}"; do
    git -C "$tree" apply "$PWD/bugs/pbservice/$bug.patch"
    (cd "$tree" && cargo build -q --locked -p pbservice --bin pbservice)
    git -C "$tree" checkout -q .
    cp "$CARGO_TARGET_DIR/debug/pbservice" "$tree/$bug"
done
for bug in "${bugs[@]}"; do
    said=$(TORTURE_PROGRAM="$tree/$bug" "$tree/torture" --ignored --nocapture 2>&1) && found=0 || found=1
    if [[ $found == 1 ]]; then
        after=$(sed -n 's/^failed after \(.*\)$/\1/p' <<<"$said")
        how=$(sed -n '/panicked at/{n;p;q}' <<<"$said" | cut -c1-200)
        echo "| \`$bug\` | $after | $how |"
    else
        echo "| \`$bug\` | not found in $TORTURE_SECONDS s | |"
    fi
done
