//! `bugs`, on patches that end in every possible way.

use std::fs;

use crate::fixture::Fixture;

#[test]
fn killed_bug_is_reported_with_test_seeds_and_reason() {
    let fixture = Fixture::new().with_patch("bugs", "late", "42 + u64::from(seed == 3)");
    let (code, out, err) = fixture.run(&["bugs", "--json", "r.json", "--markdown", "r.md"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("tiny/late"), "{out}");
    assert!(out.contains("killed by seed 3   answer_1a: not 42"), "{out}");
    assert!(out.contains("1 bugs: 1 killed"), "{out}");
    let json = fs::read_to_string(fixture.path().join("r.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let patch = &json["patches"][0];
    assert_eq!((&json["version"], &patch["fate"]), (&1.into(), &"killed".into()));
    assert_eq!(patch["details"]["seeds"], 3);
    assert_eq!(patch["details"]["kills"][0]["test"], "answer_1a");
    let table = fs::read_to_string(fixture.path().join("r.md")).unwrap();
    assert!(table.contains("| `tiny/late` | Says something else. | 3 | `answer_1a` |"), "{table}");
}

#[test]
fn survivor_is_one_and_is_not_mixed_up_with_the_bug_before_it() {
    let fixture = Fixture::new().with_patch("bugs", "a-wrong", "41").with_patch(
        "bugs",
        "b-rare",
        "42 + u64::from(seed == 9)",
    );
    let (code, out, err) = fixture.run(&["bugs", "-n", "5"]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains("killed by seed 1   answer_1a, first_answer_1a"), "{out}");
    assert!(out.contains("SURVIVED 10 runs"), "{out}");
    // The same again, now with what cargo has built before, and enough seeds.
    let (code, out, err) = fixture.run(&["bugs", "-n", "10", "rare"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(!out.contains("a-wrong"), "{out}");
    assert!(out.contains("killed by seed 9 "), "{out}");
}

#[test]
fn matrix_counts_failures_of_every_test() {
    let fixture = Fixture::new().with_patch("bugs", "odd", "42 + seed % 2");
    let (code, out, err) = fixture.run(&["bugs", "--matrix", "-n", "10"]);
    assert_eq!(code, 0, "{out}{err}");
    let row = out.lines().rfind(|line| line.starts_with("tiny/odd")).unwrap();
    assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["tiny/odd", "5", "."], "{out}");
}

#[test]
fn patches_that_do_not_apply_or_compile_do_not_stop_the_others() {
    let fixture = Fixture::new()
        .with_patch("bugs", "broken", "\"forty-two\"")
        .with_patch("bugs", "wrong", "41");
    let (code, out, err) = fixture.run(&["bugs"]);
    assert_eq!(code, 3, "{out}{err}");
    assert!(out.contains("DOES NOT COMPILE") && out.contains("mismatched types"), "{out}");
    assert!(out.contains("killed by seed 1"), "{out}");

    let other = "--- a/tiny/src/lib.rs\n+++ b/tiny/src/lib.rs\n@@ -1 +1 @@\n-//! No.\n+//! Yes.\n";
    fixture.write("bugs/tiny/stale.patch", other);
    let (code, out, err) = fixture.run(&["bugs", "stale"]);
    assert_eq!(code, 5, "{out}{err}");
    let line = out.lines().find(|line| line.contains("DOES NOT APPLY")).unwrap();
    assert!(line.contains("tiny/stale") && line.contains("does not apply"), "{line}");

    let outside = other.replace("tiny/src/lib.rs", "tiny/tests/grading/main.rs");
    fixture.write("bugs/tiny/stale.patch", &outside);
    let (code, out, _) = fixture.run(&["bugs", "stale"]);
    assert_eq!(code, 5);
    assert!(
        out.contains("it changes tiny/tests/grading/main.rs, which is not in the sources of tiny"),
        "{out}"
    );
}

#[test]
fn processes_that_misbehave_are_killed_bugs() {
    let fixture = Fixture::new()
        .with_patch("bugs", "abort", "std::process::abort()")
        .with_patch("bugs", "exit", "std::process::exit(0)")
        .with_patch("bugs", "hang", "loop { std::thread::park() }")
        .with_patch("bugs", "print", "loop { eprintln!(\"again and again\") }");
    let (code, out, err) = fixture.run(&["bugs", "--test", "answer", "--time-out", "5"]);
    assert_eq!(code, 0, "{out}{err}");
    let why = |name: &str| {
        let line = out.lines().find(|line| line.starts_with(&format!("tiny/{name} ")));
        line.and_then(|line| line.split_once(": ")).unwrap().1
    };
    assert_eq!(why("abort"), "the process died of signal 6");
    assert_eq!(
        why("exit"),
        "the process ended with exit code 0 before the run was over; does the code call std::process::exit?"
    );
    assert_eq!(why("hang"), "it did not end within 5 s and was stopped");
    let why = why("print");
    assert!(why.starts_with("it printed more than 32 MiB") || why.contains("5 s"), "{out}");
}

#[test]
fn reference_that_fails_proves_nothing() {
    let fixture = Fixture::new().with_patch("bugs", "wrong", "41");
    let lab = fs::read_to_string(fixture.path().join("tiny/src/lib.rs")).unwrap();
    // Wrong at once.
    fixture.write("tiny/src/lib.rs", &lab.replace("    42\n", "    42 + seed\n"));
    let (code, _, err) = fixture.run(&["bugs"]);
    assert_eq!(code, 5);
    assert!(err.contains("the reference of tiny fails answer_1a, seed 1: "), "{err}");
}

/// The programs of a bug must not be mixed up with those of the reference or of the bug before it.
#[test]
fn programs_are_those_of_the_patch_and_run_a_few_times() {
    let fixture = Fixture::new()
        .with_program()
        .with_patch("bugs", "a-wrong", "41")
        .with_patch("bugs", "b-late", "42 + u64::from(seed == 4)")
        .with_patch("bugs", "c-rare", "42 + u64::from(seed == 5)")
        .with_patch("variants", "other", "40 + 2");
    let (code, out, err) = fixture.run(&["bugs", "--test", "program", "-n", "20"]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains("killed by seed 1   program_1b: not 42"), "{out}");
    assert!(out.contains("killed by seed 4   program_1b: not 42"), "{out}");
    assert!(out.contains("SURVIVED 4 runs"), "{out}");
    assert!(!out.contains("the reference fails"), "{out}");
    let (code, out, err) = fixture.run(&["variants", "--test", "program"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("passes 4 runs"), "{out}");
}
