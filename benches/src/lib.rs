//! Holds the benches of the course: `cargo bench -p benches`.
//!
//! The benches are in a separate crate, so that `cargo test` in a lab does not build criterion.
//! `scripts/bench-mapreduce.sh` measures the programs of MapReduce and, for comparison, coreutils.
//! The results for counting the words of 1 002 MB, on two idle processors:
//!
//! | | MB/s | |
//! |---|---|---|
//! | `mrsequential` | 116.2 | 6.5 times |
//! | `mrcoordinator` and two workers | 219.2 | 12.2 times |
//! | `sed`, `tr`, `sort` and `uniq -c` | 18.0 | |

use std::time::Duration;

use criterion::Criterion;

/// Settings with few samples, for benches whose samples are long because each one starts a cluster
/// and waits for an election.
pub fn few_samples() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(5))
        .without_plots()
}
