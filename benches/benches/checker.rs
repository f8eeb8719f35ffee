//! Measures the time to check a history. The histories are generated, so that every run of the
//! bench does the same work.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use linearizability::{KvModel, Limits, check, explain};

use self::synthetic::{KvWorkload, Random, lose_an_append};

#[allow(dead_code, reason = "shared with other tests")]
#[path = "../../linearizability/tests/support/synthetic.rs"]
mod synthetic;

/// Workloads by name.
fn workloads() -> [(&'static str, KvWorkload); 4] {
    let usual = KvWorkload::default();
    [
        ("10 clients, 1000 operations, 5 keys", usual.clone()),
        (
            "50 clients, 2000 operations, 10 keys",
            KvWorkload { clients: 50, operations: 2000, keys: 10, ..usual.clone() },
        ),
        ("a third of puts", KvWorkload { keys: 1, gets: 30, puts: 30, ..usual.clone() }),
        ("some answers lost", KvWorkload { lost_answers: 3, ..usual }),
    ]
}

/// Checks linearizable histories, and refutes and explains illegal ones.
fn checker(criterion: &mut Criterion) {
    let limits = Limits::default();
    for (name, workload) in workloads() {
        let history = workload.history(1);
        let mut group = criterion.benchmark_group(name);
        group.bench_function("check ok", |bencher| {
            bencher.iter(|| check(&KvModel, black_box(&history), &limits));
        });
        let bad = lose_an_append(&history, &mut Random::new(1)).expect("a get has two appends");
        group.bench_function("check illegal", |bencher| {
            bencher.iter(|| check(&KvModel, black_box(&bad), &limits));
        });
        group.bench_function("explain illegal", |bencher| {
            bencher.iter(|| explain(&KvModel, black_box(&bad), &limits));
        });
        group.finish();
    }
}

criterion_group!(benches, checker);
criterion_main!(benches);
