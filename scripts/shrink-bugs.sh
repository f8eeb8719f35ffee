#!/usr/bin/env bash
# Measures `cargo lab shrink` with the bugs of bugs/: for each one that the tests of a simulation
# kill, shrinks the first failing run of the tests that bugs/README.md names.
#
#     scripts/shrink-bugs.sh TREE [PATTERN]...
#
# TREE is a directory for a copy of the sources, which later calls use again. A line for each bug goes
# to TREE/shrink.tsv: bug, test, accidents before and after, runs, seconds; bugs that are there are
# skipped. A pattern is the beginning of LAB/NAME.
set -euo pipefail
unset RUST_BACKTRACE
cd "$(dirname "$0")/.."
tree=${1:?usage: scripts/shrink-bugs.sh TREE [PATTERN]...}
shift
mkdir -p "$tree"
# A file that is the same keeps its time, so that cargo need not build it again.
git ls-files | while read -r file; do
    cmp -s "$file" "$tree/$file" || cp --parents "$file" "$tree"
done
bugs=$(realpath bugs)
cd "$tree"
touch shrink.tsv
export CARGO_TARGET_DIR=$PWD/target

# The value of a field in a line of JSON.
field() { grep -o "\"$1\":[0-9.]*" <<<"$2" | head -1 | cut -d: -f2; }

# Shrinks the first run that fails of the given tests, seed by seed.
shrink() {
    local bug=$1 seed test result code
    shift
    for seed in {1..20}; do
        for test in "$@"; do
            code=0
            result=$(cargo lab shrink "$test" "$seed" --json 2>shrink.err) || code=$?
            if [[ $code == 1 ]]; then
                printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$bug" "$test" "$(field before "$result")" \
                    "$(field after "$result")" "$(field runs "$result")" "$(field seconds "$result")" >>shrink.tsv
                printf '%s\n' "$result" >>shrink.jsonl
                return
            elif [[ $code == 4 ]]; then
                continue # The table is older than the tests.
            elif [[ $code != 2 ]]; then
                cat shrink.err >&2
                git apply -R "$bugs/$bug.patch"
                exit "$code"
            elif ! grep -q ' passes: there is nothing' shrink.err; then
                break 2
            fi
        done
    done
    printf '%s\t%s\t-\t-\t-\t%s\n' "$bug" "$test" "$(grep -v '^\s*$' shrink.err | tail -1)" >>shrink.tsv
}

# The rows of the table: | `raft/name` | mistake | seeds | `test`, `test` |
grep -E '^\| `(raft|kvraft|shardctrler|shardkv|pbservice)/' "$bugs/README.md" | while IFS='|' read -r _ bug _ _ tests; do
    bug=$(tr -d '` ' <<<"$bug")
    wanted=$#
    for pattern in "$@"; do [[ $bug == "$pattern"* ]] && wanted=0; done
    ((wanted)) && continue
    if grep -q "^$bug	" shrink.tsv; then continue; fi
    read -ra tests <<<"$(grep -o '`[a-z0-9_]*`' <<<"$tests" | tr -d '`' | tr '\n' ' ')"
    git apply "$bugs/$bug.patch"
    shrink "$bug" "${tests[@]}" </dev/null
    git apply -R "$bugs/$bug.patch"
    tail -1 shrink.tsv
done
