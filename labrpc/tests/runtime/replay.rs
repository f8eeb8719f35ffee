//! One seed, one run: on every machine, in every process, in every build.

use std::collections::BTreeSet;
use std::thread;

use labrpc::Policy;

use crate::{chaos, child};

/// The seed of every test here that needs just one.
const SEED: u64 = 7741;

/// The hash of the chaos program's run.
fn hash(seed: u64, policy: Policy) -> u64 {
    let outcome = chaos::run(seed, policy);
    outcome.result.unwrap_or_else(|failure| panic!("{failure}"));
    outcome.trace_hash
}

/// Another number here means that seeds reported earlier no longer replay: a new version must say
/// so. The numbers hold for debug and release builds and on every platform.
#[test]
fn golden_hashes_hold_in_every_build() {
    let golden = [
        (1, Policy::Fifo, 0xd129_93a5_136c_40a0),
        (2, Policy::Random, 0xa9df_e723_a3ce_7395),
        (3, Policy::Walk, 0x2907_6f2e_02a2_7f60),
        (4, Policy::Pct, 0xee2e_c98f_84c8_a441),
        (5, Policy::Stall, 0x0b25_9bf2_7ba3_2072),
        (u64::MAX, Policy::Stall, 0x86d6_26c2_2fb7_1f0c),
    ];
    let found = golden.map(|(seed, policy, _)| (seed, policy, hash(seed, policy)));
    assert!(found == golden, "expected {golden:x?}\n  actual {found:x?}");
}

/// The repetition with a recorder is compared with the run, which fails if they differ.
#[test]
fn recording_does_not_change_a_run() {
    for (seed, policy) in (0..10).flat_map(|seed| Policy::ALL.map(|policy| (seed, policy))) {
        let outcome = chaos::record(seed, policy);
        outcome.result.unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(outcome.trace_hash, hash(seed, policy), "seed {seed}, policy {policy}");
        assert!(outcome.recording.is_some_and(|recording| recording.events.len() > 100));
    }
}

/// 300 (policy, seed) pairs, each run twice: the two are equal, and no two pairs are.
#[test]
fn every_run_repeats_exactly_and_every_seed_is_another_run() {
    let halves = [0..30, 30..60];
    let hashes = thread::scope(|scope| {
        let both = halves.map(|seeds| scope.spawn(move || repeated(seeds)));
        both.map(|half| half.join().expect("all runs repeat")).concat()
    });
    let different: BTreeSet<u64> = hashes.iter().copied().collect();
    assert_eq!((hashes.len(), different.len()), (300, 300));
}

/// The hashes of these seeds under every policy; fails if a second run has another hash.
fn repeated(seeds: std::ops::Range<u64>) -> Vec<u64> {
    let pairs = seeds.flat_map(|seed| Policy::ALL.map(|policy| (seed, policy)));
    pairs
        .map(|(seed, policy)| {
            let first = hash(seed, policy);
            assert_eq!(first, hash(seed, policy), "seed {seed}, policy {policy}");
            first
        })
        .collect()
}

#[test]
fn hash_is_the_same_in_another_process_with_logging_on() {
    if child::is_child() {
        println!("hash {:x}", hash(SEED, Policy::Stall));
        return;
    }
    let name = "replay::hash_is_the_same_in_another_process_with_logging_on";
    let expected = format!("hash {:x}\n", hash(SEED, Policy::Stall));
    for (verbose, is_logged) in [("0", false), ("1", true)] {
        let output = child::text(&child::again(name, &[("VERBOSE", verbose)]));
        assert!(output.contains(&expected), "no {expected} in\n{output}");
        assert_eq!(output.contains(" NEWS S"), is_logged, "VERBOSE={verbose}:\n{output}");
    }
}

#[test]
fn hash_is_the_same_beside_other_simulations() {
    let alone = hash(SEED, Policy::Stall);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| hash(SEED, Policy::Stall))).collect();
        for thread in threads {
            assert_eq!(thread.join().expect("the run does not fail"), alone);
        }
    });
}
