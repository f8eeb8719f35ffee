#!/usr/bin/env bash
# Measures a word count of generated books in MB/s, with mrsequential, with mrcoordinator and two
# workers, and with coreutils: bench-mapreduce.sh [SCALE=30] [ROUNDS=3]
# The size of the books is SCALE times the course's 3.3 MB. The best of ROUNDS rounds counts.
set -euo pipefail

scale=${1:-30}
rounds=${2:-3}
cd "$(dirname "$0")/.."
cargo build -q --release --locked -p mapreduce --bins
bin=$(cd "${CARGO_TARGET_DIR:-target}/release" && pwd)
directory=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$directory"' EXIT
"$bin/mr-corpus" --scale "$scale" "$directory"
mkdir "$directory/job"
cd "$directory/job"
export LC_ALL=C

sequential() {
    "$bin/mrsequential" wc ../pg-*.txt
}

two_workers() {
    "$bin/mrcoordinator" '../pg-*.txt' 2>/dev/null &
    "$bin/mrworker" wc &
    "$bin/mrworker" wc &
    wait
}

# Non-ASCII quotes and dashes separate words; all other non-ASCII characters are letters.
coreutils() {
    cat ../pg-*.txt | sed 's/“/ /g; s/”/ /g; s/—/ /g' | tr -cs 'A-Za-z\200-\377' '\n' |
        grep . | sort | uniq -c | awk '{print $2, $1}' >mr-out-0
}

declare -A best sum
for ((round = 0; round < rounds; round++)); do
    for way in sequential two_workers coreutils; do
        rm -f mr-*
        began=$(date +%s%N)
        "$way"
        took=$(($(date +%s%N) - began))
        if [[ -z ${best[$way]:-} ]] || ((took < ${best[$way]})); then best[$way]=$took; fi
        sum[$way]=$(sort mr-out-* | cksum)
    done
done

bytes=$(cat ../pg-*.txt | wc -c)
printf 'word count of %d MB on %d processors, best of %d\n' $((bytes / 1000000)) "$(nproc)" "$rounds"
for way in sequential two_workers coreutils; do
    awk -v way="${way/_/ }" -v bytes="$bytes" -v ns="${best[$way]}" \
        'BEGIN { printf "%-12s %7.2f s %7.1f MB/s\n", way, ns / 1e9, bytes * 1e3 / ns }'
    if [[ ${sum[$way]} != "${sum[sequential]}" ]]; then
        echo "bench-mapreduce.sh: the result of $way differs" >&2
        exit 1
    fi
done
