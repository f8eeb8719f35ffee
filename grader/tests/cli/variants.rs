//! `variants`: every test must accept every one of them.

use crate::fixture::Fixture;

#[test]
fn variant_passes_under_all_policies_or_those_given() {
    let fixture = Fixture::new().with_patch("variants", "other", "40 + 2");
    let (code, out, err) = fixture.run(&["variants", "-n", "3"]);
    assert_eq!(code, 0, "{out}{err}");
    // Three seeds of two tests, under five policies.
    assert!(out.contains("passes 30 runs"), "{out}");
    let (code, out, err) = fixture.run(&["variants", "-n", "3", "--policy", "fifo,pct"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("passes 12 runs") && out.contains("1 variants: 1 accepted"), "{out}");
}

#[test]
fn refused_variant_is_one_and_names_a_run_to_replay() {
    let fixture = Fixture::new().with_patch("variants", "other", "42 + u64::from(seed > 1)");
    let (code, out, err) = fixture.run(&["variants", "-n", "3", "--policy", "pct"]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains("FAILS 2 of 6 runs"), "{out}");
    assert!(out.contains("answer_1a: 2 times, for example 2:pct: not 42"), "{out}");
}
