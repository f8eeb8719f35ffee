//! Holds the benches of the course: `cargo bench -p benches`.
//!
//! They are a crate of their own so that `cargo test` in a lab never builds criterion. MapReduce is
//! programs, which `scripts/bench-mapreduce.sh` measures beside coreutils. Counting the words of
//! 1 002 MB, on two processors that had nothing else to do:
//!
//! | | MB/s | |
//! |---|---|---|
//! | `mrsequential` | 116.2 | 6.5 times |
//! | `mrcoordinator` and two workers | 219.2 | 12.2 times |
//! | `sed`, `tr`, `sort` and `uniq -c` | 18.0 | |

use std::time::Duration;

use criterion::Criterion;

/// For benches whose samples are long, as each starts a cluster and waits for an election: few
/// samples.
pub fn few_samples() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(5))
        .without_plots()
}
