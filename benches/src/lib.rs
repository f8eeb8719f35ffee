//! Holds the benches of the course: `cargo bench -p benches`.
//!
//! They are a crate of their own so that `cargo test` in a lab never builds criterion. MapReduce is
//! programs, which `scripts/bench-mapreduce.sh` measures beside coreutils. Counting the words of 96
//! MB, on two processors that had much else to do, so that only the ratios mean something:
//!
//! | | MB/s | |
//! |---|---|---|
//! | `mrsequential` | 12.4 | 3.1 times |
//! | `mrcoordinator` and two workers | 13.1 | 3.2 times |
//! | `tr`, `sort` and `uniq -c` | 4.0 | |

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
