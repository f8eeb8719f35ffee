//! Tests of the messages, titles and exit codes.

use super::*;

/// The line of a record, as a process that obeys would send it.
fn answer(nonce: &str, test: &str, seed: u64) -> String {
    Record::new(nonce, Run::new("raft", "2A", test, seed, Some(Policy::Stall))).to_line()
}

#[test]
fn only_the_answer_to_an_assignment_is_accepted() {
    let assignment = Assignment::new("figure8_2c", 7, Some(Policy::Stall));
    let nonce = &assignment.nonce;
    let problem = |line: &str| assignment.check(line).err().map(|error| error.to_string());
    let table = [
        (answer(nonce, "figure8_2c", 7), None),
        (answer("", "figure8_2c", 7), Some("the record carries no nonce")),
        (answer("1234", "figure8_2c", 7), Some("the record carries another run's nonce")),
        (answer(nonce, "backup_2b", 7), Some("the record is of the test backup_2b")),
        (answer(nonce, "figure8_2c", 8), Some("the record is of seed 8")),
        (
            answer(nonce, "figure8_2c", 7).replace("\"stall\"", "null"),
            Some("the record is of a run in real time"),
        ),
        ("{\"verdict\":\"pass\"}".into(), Some("what arrived is not a valid record")),
        ("test result: ok".into(), Some("what arrived is not a valid record")),
    ];
    for (line, expected) in table {
        assert_eq!(problem(&line).as_deref(), expected, "{line}");
    }
    let old = answer(nonce, "figure8_2c", 7).replace("\"version\":3", "\"version\":2");
    assert!(problem(&old).unwrap().starts_with("the record has version 2 instead of 3"));
}

#[test]
fn assignments_survive_the_journey() {
    let mut assignment = Assignment::new("wc_1", u64::MAX, None);
    assignment.programs = Some("/tmp/builds/x".to_string());
    assert_eq!(Assignment::from_line(&assignment.to_line()), Ok(assignment.clone()));
    assert_ne!(assignment.nonce, Assignment::new("wc_1", 1, None).nonce);
}

#[test]
fn titles_name_the_part_and_keep_the_rest_of_the_name() {
    let table = [
        ("initial_election_2a", "2A", "Test (2A): initial election ..."),
        ("wc_1", "1", "Test (1): wc ..."),
        ("storage_crash_at_any_byte", "PB3", "Test (PB3): storage crash at any byte ..."),
        ("torn_tail", "", "Test: torn tail ..."),
    ];
    for (test, part, expected) in table {
        assert_eq!(title(test, part), expected);
    }
    let parts = ["initial_election_2a", "put_get_tc01", "torn_tail"].map(part_of);
    assert_eq!(parts, [Some("2a"), None, None]);
}

#[test]
fn failures_outweigh_trouble_and_interruptions() {
    assert!(Exit::Failed > Exit::Harness && Exit::Harness > Exit::Interrupted);
    assert!(Exit::Interrupted > Exit::Inconclusive && Exit::DoesNotCompile > Exit::Failed);
}
