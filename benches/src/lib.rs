//! Holds the benches of the course: `cargo bench -p benches`.
//!
//! They are a crate of their own so that `cargo test` in a lab never builds criterion. MapReduce is
//! programs, which `scripts/bench-mapreduce.sh` measures: on two processors, 99 MB of words, best of
//! three rounds,
//!
//! | | MB/s |
//! |---|---|
//! | `mrsequential` | SEQ |
//! | `mrcoordinator` and two workers | TWO |
//! | `tr`, `sort` and `uniq -c` | COR |
