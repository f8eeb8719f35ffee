//! `cargo lab shrink`: from a failing run to the accidents that it needs.

use serde_json::Value;

use crate::fixture::Fixture;

#[test]
fn two_of_thirty_accidents_are_left_and_the_run_can_be_replayed() {
    let fixture = Fixture::new();
    let ran = fixture.lab("shrink needs_two_9h 7741").expect(1);
    ran.shows("needs_two_9h fails with 2 of 30 accidents  (seed 77");
    ran.shows("\n     0.030 s  S0 stops 3\n     0.170 s  S0 stops 17\n     1.500 s  broken: nothing fails\n");
    ran.shows("\n              expected one leader, got none\n");
    // Both runs fail in the same way.
    assert!(!ran.err.contains("note:"), "{}", ran.err);
    let replay = ran.out.lines().find_map(|line| line.strip_prefix("  replay    cargo lab "));
    let replay = replay.expect("a replay line").to_string();
    assert!(replay.ends_with(" --only 00000003,00000011"), "{replay}");
    fixture.lab(&replay).expect(1).shows("FAIL needs_two_9h 77");
    fixture.lab(&replay.replace("00000003,", "")).expect(0).shows("PASS needs_two_9h");
    let shrunk = fixture.runs().into_iter().find(|run| run.contains("_shrink_needs_two_9h"));
    let directory = format!("lab-runs/{}", shrunk.expect("the run is stored"));
    let seed = replay.split([' ', ':']).nth(2).unwrap();
    let report = fixture.read(format!("{directory}/needs_two_9h_{seed}_stall/replay.txt"));
    assert_eq!(report, format!("cargo lab {replay}\n"));
}

#[test]
fn json() {
    let fixture = Fixture::new();
    let ran = fixture.lab("shrink needs_two_9h 7741 --json --limit 60").expect(1);
    let value: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&value["before"], &value["after"]), (&30.into(), &2.into()));
    assert_eq!(value["run"]["accidents"][1]["id"], "00000011");
    assert!(value["runs"].as_u64().unwrap() > 82, "{}", value["runs"]);
}

#[test]
fn failures_that_no_accident_decides_are_named() {
    let fixture = Fixture::new();
    fixture
        .lab("shrink needs_two_9h 7")
        .expect(2)
        .says("7:stall passes: there is nothing to shrink");
    fixture.lab("shrink process_fails_9f 7").expect(5).says("does not run in a simulation");
    fixture.lab("shrink 9B 10").expect(5).says("'9B' matches several tests: fails_9b, fails_some");
    assert!(fixture.runs().is_empty(), "{:?}", fixture.runs());
    let error = fixture.lab("replay needs_two_9h 7 --only 7x").expect(5).err;
    assert!(error.contains("'7x' is not an accident"), "{error}");
    fixture
        .lab("test fails_9b --seed 5")
        .expect(1)
        .shows("  shrink    cargo lab shrink fails_9b 5:stall");
}
