#!/usr/bin/env bash
# Runs everything: the checks of CI, all submissions of grader/tests/corpus twice, all bugs and all
# variants. It takes hours, and xmllint and Python's jsonschema besides Rust. As root, submissions run
# as a user without rights.
set -euo pipefail
cd "$(dirname "$0")/.."

step() {
    printf '\n== %s\n' "$*"
    "$@"
}

scripts/check.sh
for _ in 1 2; do
    step cargo test -p grader --test corpus --locked -- --ignored --nocapture \
        --exact all_submissions_get_the_stated_results
    step grader/schema/check.sh "${CARGO_TARGET_DIR:-target}"/tmp/corpus/results-*
done
step cargo grader bugs
step cargo grader variants
