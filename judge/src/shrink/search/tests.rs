//! The search on programs that are predicates over lists of accidents.

use super::*;

/// An accident with this number, at that second.
fn accident(number: u32) -> Accident {
    let kinds = [AccidentKind::Stall, AccidentKind::ReplyLost, AccidentKind::Coin];
    Accident {
        id: AccidentId(number),
        kind: kinds[number as usize % 3],
        at: number.into(),
        text: String::new(),
    }
}

/// A failing run with these accidents.
fn failing(numbers: impl IntoIterator<Item = u32>) -> Failing {
    let accidents: Vec<Accident> = numbers.into_iter().map(accident).collect();
    Failing { seed: 1, at: accidents.last().map_or(0.0, |last| last.at), accidents }
}

/// What is left of `count` accidents if `breaks` says which lists break the property, and the
/// number of runs.
fn left(count: u32, limit: usize, breaks: impl Fn(&[u32]) -> bool) -> (Vec<u32>, usize) {
    let mut runs = 0;
    let result = shrink(failing(0..count), |list| {
        if runs == limit {
            return Outcome::OutOfTime;
        }
        runs += 1;
        let numbers: Vec<u32> = list.iter().map(|id| id.0).collect();
        if breaks(&numbers) { Outcome::Fails(failing(numbers)) } else { Outcome::Differs }
    });
    (result.accidents.iter().map(|accident| accident.id.0).collect(), runs)
}

/// A program that needs all of these accidents.
fn needs(wanted: &[u32]) -> impl Fn(&[u32]) -> bool {
    move |list| wanted.iter().all(|number| list.contains(number))
}

#[test]
fn what_is_needed_is_left_whatever_it_is() {
    for wanted in [&[][..], &[7], &[0, 999], &[3, 4, 5], &[1, 2, 500, 501, 900]] {
        let (found, runs) = left(1_000, usize::MAX, needs(wanted));
        assert_eq!(found, wanted);
        assert!(runs <= 20 + 25 * wanted.len(), "{runs} runs for {wanted:?}");
    }
}

#[test]
fn one_of_several_causes_suffices() {
    let (found, _) = left(300, usize::MAX, |list| needs(&[10, 20])(list) || needs(&[200])(list));
    assert!(found == [200] || found == [10, 20], "{found:?}");
}

#[test]
fn a_run_that_cannot_be_made_smaller_stays() {
    let (found, _) = left(20, usize::MAX, |list| list.len() == 20);
    assert_eq!(found.len(), 20);
}

#[test]
fn out_of_time_the_best_so_far_is_the_result() {
    let (found, runs) = left(1_000, 4, needs(&[600]));
    assert!(found.contains(&600) && found.len() < 1_000, "{found:?}");
    assert_eq!(runs, 4);
}

#[test]
fn the_list_becomes_what_happened() {
    // Whatever is allowed, only one of the accidents comes about.
    let result = shrink(failing(0..100), |list| match list.first() {
        Some(first) => Outcome::Fails(failing([first.0])),
        None => Outcome::Differs,
    });
    assert_eq!(result.accidents.len(), 1);
}

#[test]
fn seeds_are_tried_calm_first_and_until_there_are_enough() {
    let jobs: Vec<(u64, u32)> = seeds_and_rates(7).collect();
    assert_eq!((jobs.len(), jobs[0], jobs[41], jobs[122]), (123, (7, 0), (7, 4), (47, 256)));
    assert!(!suffices(&[failing(0..9)], 4) && suffices(&[failing([])], 4));
    let few: Vec<Failing> = (0..3).map(|_| failing(0..9)).collect();
    let many: Vec<Failing> = (0..3).map(|_| failing(0..900)).collect();
    assert!(suffices(&few, FULL_RATE) && !suffices(&many, FULL_RATE));
    assert!(suffices(&[&many[..], &many].concat(), FULL_RATE));
}

#[test]
fn runs_with_the_fewest_accidents_come_first_and_each_seed_once() {
    let found = [5, 3, 9, 3, 1].into_iter().zip(1..).map(|(count, seed)| Failing {
        seed: seed % 4,
        at: f64::from(10 - seed as u32),
        ..failing(0..count)
    });
    let starts = best_starts(found.collect());
    let starts: Vec<(u64, usize)> =
        starts.iter().map(|failing| (failing.seed, failing.accidents.len())).collect();
    assert_eq!(starts, [(1, 1), (0, 3), (2, 3)]);
}
