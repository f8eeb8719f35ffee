#!/usr/bin/env bash
# Prepares a container for Gradescope: the compiler, the grader, and a slot in which all dependencies
# are built. It runs once, with a network, when the image is made; run_autograder needs no network.
#
# The course's workspace is in /autograder/source. The files `labs` (raft,kvraft) and `secret` in it
# choose what is graded and with which seeds; both can be missing.
set -euo pipefail

source=/autograder/source
export RUSTUP_HOME=/opt/rustup CARGO_HOME=/opt/cargo PATH=/opt/cargo/bin:$PATH
umask 022 # The user that builds submissions reads the compiler and the dependencies.

if ! command -v cc >/dev/null || ! command -v git >/dev/null || ! command -v curl >/dev/null; then
    apt-get update
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        ca-certificates curl gcc git libc6-dev
fi
if ! command -v rustup >/dev/null; then
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs |
        sh -s -- -y --no-modify-path --profile minimal --default-toolchain none
fi

cd "$source"
rustup toolchain install --profile minimal # The one in rust-toolchain.toml.
[ -e .git ] || { git init -q && git add -A; } # The handout is made of the files that git knows.
cargo fetch --locked
cargo build --locked --release -p grader
install -m 755 target/release/grader /opt/grader
rm -rf target

# Grading the reference builds the dependencies, and shows that the container can grade.
labs=$(cat labs 2>/dev/null || echo raft,kvraft,shardctrler,shardkv,mapreduce,pbservice)
mkdir -p /opt/slots /opt/trial/reference
for lab in raft kvraft shardctrler shardkv mapreduce pbservice; do
    mkdir "/opt/trial/reference/$lab"
    cp -r "$lab/src" "/opt/trial/reference/$lab/"
done
/opt/grader grade /opt/trial/reference --labs "$labs" --seeds 1 \
    --only initial_election_2a --only rsm_concurrent_3a --only move_4a --only static_shards_4b \
    --only split_files_1 --only put_get_tc01 \
    --allow-root --unsafe-no-sandbox --slots /opt/slots -o /opt/trial/results
rm -rf /opt/trial

# Submitted code runs as a user that owns nothing: it can read neither this nor the seeds.
chmod -R go-rwx "$source"
