//! `cargo lab replay`, and a rare bug from its first appearance to its replay.

use serde_json::Value;

use crate::fixture::Fixture;

#[test]
fn verdict_and_figures_on_one_line() {
    let fixture = Fixture::new();
    let ran = fixture.lab("replay fails_sometimes_9b 10:pct").expect(1);
    let mut lines = ran.out.lines();
    let headline = lines.next().unwrap();
    assert!(
        headline.starts_with("FAIL fails_sometimes_9b 10:pct  1.500 s of virtual time, 42 events")
    );
    assert!(headline.contains(", hash "), "{headline}");
    assert!(lines.next().unwrap().starts_with("fails_sometimes_9b failed at 1.500 s"));
    ran.shows("  log       cargo lab logs lab-runs/");
    let ran = fixture.lab("replay FAILS_sometimes_9b 11").expect(0);
    assert!(ran.out.starts_with("PASS fails_sometimes_9b 11:stall  1.500 s"), "{}", ran.out);
    fixture.lab("replay 9B 10").expect(5).says("'9B' matches several tests: fails_9b, fails_some");
    fixture.lab("replay unknown_9c 1").expect(2).shows("UNKNOWN unknown_9c 1:stall");
    let ran = fixture.lab("replay fails_9b 10 --log").expect(1);
    ran.shows("012500 VOTE S10@5 granted to S0").says("FAIL fails_9b 10:stall");
}

#[test]
fn json() {
    let fixture = Fixture::new();
    let ran = fixture.lab("replay fails_9b 10 --json").expect(1);
    let value: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(value["test"], "fails_9b");
    assert_eq!((&value["seed"], &value["policy"]), (&10.into(), &"stall".into()));
    assert_eq!((&value["verdict"], &value["events"]), (&"fail".into(), &42.into()));
    assert_eq!(value["trace_hash"].as_str().unwrap().len(), 16);
    assert_eq!((&value["virtual_seconds"], &value["cpu_seconds"]), (&1.5.into(), &0.001.into()));
    assert!(value["failure"]["actual"] == "expected one leader, got none");
    assert_eq!(value["sources_changed"], Value::Null);
}

#[test]
fn changed_sources_are_noticed() {
    let fixture = Fixture::new();
    fixture.lab("test fails_9b --seed 5").expect(1);
    let ran = fixture.lab("replay fails_9b 5").expect(1);
    assert!(!ran.err.contains("has changed"), "{}", ran.err);
    let code = fixture.read("toy/tests/grading.rs");
    fixture
        .write("toy/tests/grading.rs", &code.replace("\"fails_9b\" => \"fail\"", "\"x\" => \"x\""));
    let ran = fixture.lab("replay fails_9b 5").expect(0);
    ran.says("the code has changed since this failure was stored");
    ran.says("a pass proves nothing: use cargo lab stress fails_9b -n 300");
}

#[test]
fn a_rare_bug_is_found_and_its_replay_line_shows_it_every_time() {
    let fixture = Fixture::new();
    let ran = fixture.lab("stress fails_rarely_9b --seeds 0..1000").expect(1);
    let replay = ran.out.lines().find_map(|line| line.trim().strip_prefix("cargo lab "));
    let replay = replay.expect("a replay line").to_string();
    let first = fixture.lab(&format!("{replay} --json")).expect(1).out;
    for _ in 1..100 {
        assert_eq!(fixture.lab(&format!("{replay} --json")).expect(1).out, first);
    }
}
