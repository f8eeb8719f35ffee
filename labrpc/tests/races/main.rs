//! A bank of small racy programs, and which policy finds which race.
//!
//! The figures in the crate's documentation come from
//! `cargo test --release -p labrpc --test races -- --ignored --nocapture`.

mod programs;

use labrpc::{Policy, Simulation};

use self::programs::{
    abba, applier_sends_unlocked, correct_applier, correct_counter, lost_update, lost_wakeup,
};

/// A program that panics, or waits forever, if its race is lost.
type Program = fn();

/// The programs with a race.
const RACES: [(&str, Program); 4] = [
    ("lost update", lost_update),
    ("lost wake-up", lost_wakeup),
    ("ABBA", abba),
    ("applier sends unlocked", applier_sends_unlocked),
];

/// In how many of these runs the program fails.
fn found(program: Program, policy: Policy, seeds: u64) -> u64 {
    let fails = |seed: &u64| Simulation::new(*seed).policy(policy).run(program).result.is_err();
    (0..seeds).filter(fails).count() as u64
}

/// With these seeds. The margins are wide: the figures were measured over 3 000 seeds.
#[test]
fn default_policy_finds_every_race_within_100_seeds() {
    for (name, program) in RACES {
        assert!(found(program, Policy::default(), 100) > 0, "{name}");
    }
}

#[test]
fn fifo_finds_no_race() {
    for (name, program) in RACES {
        assert_eq!(found(program, Policy::Fifo, 20), 0, "{name}");
    }
}

/// What happens between two messages takes no virtual time unless a task is stalled.
#[test]
fn only_stalls_show_that_messages_of_one_task_were_overtaken() {
    let found = |policy| found(applier_sends_unlocked, policy, 30);
    assert!(found(Policy::Stall) >= 10, "{}", found(Policy::Stall));
    assert_eq!((found(Policy::Fifo), found(Policy::Random)), (0, 0));
}

#[test]
fn correct_programs_fail_under_no_policy() {
    for policy in Policy::ALL {
        for program in [correct_counter as Program, correct_applier] {
            assert_eq!(found(program, policy, 50), 0, "{policy}");
        }
    }
}

/// Prints the table of the crate's documentation.
#[test]
#[ignore = "measures, and asserts nothing but that there is something to show"]
fn table() {
    const SEEDS: u64 = 3_000;
    println!("| race | {} |", Policy::ALL.map(Policy::name).join(" | "));
    println!("|---|{}", "---|".repeat(Policy::ALL.len()));
    for (name, program) in RACES {
        let hits = Policy::ALL.map(|policy| found(program, policy, SEEDS));
        assert!(hits.iter().any(|hits| *hits > 0), "{name} is never found");
        let percents = hits.map(|hits| format!("{:.1}", hits as f64 * 100.0 / SEEDS as f64));
        println!("| {name} | {} |", percents.join(" | "));
    }
}
