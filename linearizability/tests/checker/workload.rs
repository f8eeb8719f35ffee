//! Larger histories, of which the result is known because of how they were made.

use crate::brute_force;
use crate::synthetic::{KvWorkload, Random, lose_an_append};
use linearizability::{CheckResult, KvInput, KvModel, KvOutput, Limits, Operation, explain};

/// Workloads of several shapes: many clients, few reads, many puts, lost answers.
fn workloads() -> Vec<KvWorkload> {
    let usual = KvWorkload::default();
    vec![
        KvWorkload { clients: 50, operations: 2000, keys: 10, ..usual },
        KvWorkload { keys: 1, gets: 10, puts: 2, ..usual },
        KvWorkload { keys: 1, gets: 30, puts: 40, ..usual },
        KvWorkload { keys: 2, lost_answers: 3, ..usual },
        usual,
    ]
}

/// Histories that were executed step by step are linearizable, and their linearization replays.
#[test]
fn executed_histories_are_linearizable() {
    for (shape, workload) in workloads().iter().enumerate() {
        for seed in 0..3 {
            let history = workload.history(seed);
            let report = explain(&KvModel, &history, &Limits::default());
            assert_eq!(report.result(), CheckResult::Ok, "workload {shape}, seed {seed}");
            for partition in &report.partitions {
                assert!(brute_force::replays(&KvModel, &history, &partition.linearization));
            }
        }
    }
}

/// A get that lost an append is found, and the window has that get.
#[test]
fn lost_appends_are_found() {
    for (shape, workload) in workloads().iter().enumerate() {
        for seed in 0..3 {
            let history = workload.history(seed);
            let Some(bad) = lose_an_append(&history, &mut Random::new(seed)) else {
                continue;
            };
            let victim = (0..bad.len()).find(|index| bad[*index] != history[*index]);
            let victim = victim.expect("one get was changed");
            let report = explain(&KvModel, &bad, &Limits::default());
            assert_eq!(report.result(), CheckResult::Illegal, "workload {shape}, seed {seed}");
            let window = report.window().expect("an illegal history has a window");
            assert!(window.operations.contains(&victim), "{window}");
            assert!(window.operations.len() <= 8, "{window}");
            for partition in &report.partitions {
                assert!(brute_force::replays(&KvModel, &bad, &partition.linearization));
            }
        }
    }
}

/// More than 64 operations are under way at once.
#[test]
fn wide_histories() {
    let mut history: Vec<Operation<KvInput, KvOutput>> = (0..100)
        .map(|client| {
            let input = KvInput::append("k", format!("x {client} y"));
            Operation::completed(client, input, KvOutput::Done, 0, 1000)
        })
        .collect();
    let value: String = (0..100).rev().map(|client| format!("x {client} y")).collect();
    let get = |value: &str| {
        Operation::completed(100, KvInput::get("k"), KvOutput::value(value), 2000, 2001)
    };
    history.push(get(&value));
    let report = explain(&KvModel, &history, &Limits::default());
    assert_eq!(report.result(), CheckResult::Ok);
    assert_eq!(
        report.partitions[0].linearization,
        (0..=100).rev().cycle().skip(1).take(100).chain([100]).collect::<Vec<_>>()
    );
    history[100] = get(&value[1..]);
    assert_eq!(explain(&KvModel, &history, &Limits::default()).result(), CheckResult::Illegal);
}
