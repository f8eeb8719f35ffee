//! What the test did, and who led.

use super::*;

#[test]
fn what_the_test_did_is_told_without_its_preparation() {
    let mut made = Made::default();
    for server in ["S0", "S1"] {
        made.fault("start", &[server]).fault("connect", &[server]);
    }
    made.fault("crash", &["S0"]).fault("start", &["S0"]).fault("cut", &["S0", "S1"]);
    made.fault("stall", &["S1"]).violation(Culprit::default());
    let expected =
        ["the test cuts the power of S0", "the test starts S0", "the test cuts the link S0>S1"];
    assert_eq!(made.told(), expected);
}

#[test]
fn servers_that_are_started_and_connected_at_once_are_one_step() {
    let mut made = Made::default();
    for server in ["S0", "S1", "S2"] {
        made.fault("start", &[server]).fault("connect", &[server]);
    }
    for server in ["S0", "S1"] {
        made.fault("start", &[server]).fault("connect", &[server]);
    }
    made.0.iter_mut().skip(6).for_each(|event| event.at = 7_000);
    made.pause(10).fault("start", &["S0"]).fault("connect", &["S1"]).violation(Culprit::default());
    let expected =
        ["the test starts and connects S0, S1", "the test starts S0", "the test connects S1"];
    assert_eq!(made.told(), expected);
}

#[test]
fn the_reach_of_a_client_is_told_when_it_changes() {
    let mut made = Made::default();
    made.fault("reach all", &["C0"]).fault("reach", &["C0", "S1"]).fault("reach all", &["C0"]);
    made.fault("reach", &["C1"]).fault("reach all", &["C2"]);
    // A probe does nothing to the servers.
    for _ in 0..5 {
        made.fault("reach all", &["C3"]).fault("reach", &["C3"]);
    }
    made.violation(Culprit::default());
    let expected = [
        "the test lets C0 reach only S1",
        "the test lets C0 reach all its servers",
        "the test lets C1 reach no server",
    ];
    assert_eq!(made.told(), expected);
}

#[test]
fn earlier_steps_are_counted_and_what_they_left_is_told() {
    let mut made = Made::default();
    made.fault("connect", &["S0"]).fault("disconnect", &["S0"]);
    made.fault("cut", &["S1", "S2"]).fault("start", &["S3"]);
    for _ in 0..40 {
        made.fault("kill", &["S3"]).fault("start", &["S3"]);
    }
    made.violation(Culprit::default());
    let told = made.told();
    assert_eq!(told.len(), MOST_LINES + 1);
    let first = "the test: 57 earlier steps, after which S3 down; S0 cut off; cut links S1>S2";
    assert_eq!(told[0], first);
}

/// What is told of the steps before a long row of others.
fn told_of_earlier_steps(steps: impl FnOnce(&mut Made)) -> String {
    let mut made = Made::default();
    steps(&mut made);
    for number in 0..=MOST_LINES {
        made.push("test", What::Note { text: format!("step {number}") });
        made.network("no long reordering");
    }
    made.violation(Culprit::default());
    let first = made.told().remove(0);
    let (_, left) = first.split_once(" earlier steps").expect("there are earlier steps");
    left.to_string()
}

#[test]
fn nothing_is_said_to_be_left_that_was_undone() {
    let undone = |made: &mut Made| {
        made.fault("start", &["S0"]).fault("connect", &["S0"]);
        made.fault("crash", &["S0"]).fault("start", &["S0"]).fault("connect", &["S0"]);
        made.fault("cut", &["S0", "S1"]).fault("mend", &["S0", "S1"]);
        made.fault("hold replies", &["S0", "S1"]).fault("pass", &["S0", "S1"]);
        made.fault("reach", &["C0", "S1"]).fault("reach all", &["C0"]);
        made.network("unreliable").network("reliable").fault("cut", &["S1", "S0"]);
        made.fault("heal", &["S0", "S1"]);
        made.partition(&[&["S0"], &["S1"]]).fault("mend", &["S0", "S1"]);
        made.partition(&[&["S0", "S1"], &[]]);
    };
    assert_eq!(told_of_earlier_steps(undone), "");
}

#[test]
fn all_that_is_left_is_told() {
    let all = |made: &mut Made| {
        made.network("unreliable").fault("hold requests", &["S0", "S1"]).fault("release", &[]);
        made.fault("reach", &["C0"]).fault("cut", &["S0", "S1"]).fault("cut", &["X0", "X1"]);
        made.partition(&[&["X0"], &["X1"]]);
        // Another cluster.
        made.fault("heal", &["S0", "S1"]);
        (0..10).for_each(|number| _ = made.fault("crash", &[&format!("X{number}")]));
    };
    let expected = ", after which X0, X1, X2, X3, X4, X5, X6, X7 and 2 more down; cut links X0>X1; \
                    the sides X0 | X1; held: requests on S0>S1; C0 reaches no server; the network \
                    unreliable";
    assert_eq!(told_of_earlier_steps(all), expected);
}

#[test]
fn leaders_are_told_when_they_change() {
    let mut made = Made::default();
    made.leads("S0", 1).leads("S0", 1).leads("S1", 2).violation(Culprit::default());
    let expected =
        ["the test sees that S0 leads in term 1", "the test sees that S1 leads in term 2"];
    assert_eq!(made.told(), expected);
}
