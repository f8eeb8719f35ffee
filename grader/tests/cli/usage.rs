//! The command line, and what is wrong before any test runs.

use crate::fixture::Fixture;

#[test]
fn help_names_commands_and_exit_codes() {
    let fixture = Fixture::new();
    let (code, out, _) = fixture.run(&["--help"]);
    assert_eq!(code, 0);
    for word in ["bugs", "variants", "cargo grader", "130 interrupted"] {
        assert!(out.contains(word), "{out}");
    }
    let (code, out, _) = fixture.run(&["bugs", "--help"]);
    assert_eq!(code, 0);
    for word in ["--matrix", "--json", "[default: 100]", "[PATTERN]"] {
        assert!(out.contains(word), "{out}");
    }
}

#[test]
fn every_command_documents_its_exit_codes() {
    let fixture = Fixture::new();
    for command in ["grade", "diff", "merge", "handout", "bugs", "variants"] {
        let (code, out, _) = fixture.run(&[command, "--help"]);
        assert_eq!(code, 0);
        let (_, codes) = out.split_once("Exit codes").expect("it names them");
        assert!(codes.contains("0 ") && codes.contains("5 "), "{command}: {codes}");
    }
}

#[test]
fn what_makes_no_sense_is_five() {
    let fixture = Fixture::new();
    let cases: [&[&str]; 5] = [
        &[],
        &["bugs", "--frobnicate"],
        &["prize"],
        &["bugs", "-n", "0"],
        &["variants", "--policy", "lifo"],
    ];
    for arguments in cases {
        let (code, out, err) = fixture.run(arguments);
        assert_eq!((code, out.as_str()), (5, ""), "{arguments:?}: {err}");
        assert!(!err.is_empty(), "{arguments:?}");
    }
}

#[test]
fn the_format_of_gradescope_is_for_one_submission() {
    let fixture = Fixture::new();
    fixture.write("alice/tiny/src/lib.rs", "");
    fixture.write("bob/tiny/src/lib.rs", "");
    let (code, _, err) = fixture.run(&["grade", "alice", "bob", "--format", "gradescope"]);
    assert_eq!(code, 5);
    assert!(err.contains("for exactly one submission"), "{err}");
}

#[test]
fn what_cannot_be_graded_is_four_or_five() {
    let fixture = Fixture::new();
    fixture.write("alice/tiny/src/lib.rs", "");
    fixture.write("empty/notes.txt", "");
    let cases: [(&[&str], i32, &str); 6] = [
        (&["grade", "empty"], 4, "contains neither <lab>/src nor submissions"),
        (&["grade", "alice", "--labs", "huge"], 4, "there is no lab 'huge'"),
        (&["grade", "bob"], 5, "cannot find bob"),
        (&["grade", "alice", "alice"], 5, "two submissions are called 'alice'"),
        (&["grade", "alice", "--shard", "3/2"], 5, "invalid value '3/2'"),
        (&["grade", "--past", "alice"], 5, "required"),
    ];
    for (arguments, code, words) in cases {
        let (exit, out, err) = fixture.run(arguments);
        assert_eq!((exit, &*out), (code, ""), "{arguments:?}: {err}");
        assert!(err.contains(words), "{arguments:?}: {err}");
    }
}

#[test]
fn nothing_matched_is_four() {
    let fixture = Fixture::new().with_patch("bugs", "wrong", "41");
    let (code, _, err) = fixture.run(&["bugs", "right"]);
    assert_eq!(code, 4);
    assert!(err.contains("none of the 1 patches in bugs/ matches 'right'"), "{err}");
    assert_eq!(fixture.run(&["variants"]).0, 4);
    let (code, _, err) = fixture.run(&["bugs", "--test", "no_such_test"]);
    assert_eq!(code, 4);
    assert!(err.contains("no grading test with 'no_such_test' in its name"), "{err}");
}

#[test]
fn outside_of_a_workspace_or_repository_is_five() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Fixture::new().grader(&["bugs"]);
    let output = command.current_dir(directory.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    assert!(String::from_utf8_lossy(&output.stderr).contains("run this inside the labs"));

    let fixture = Fixture::new().with_patch("bugs", "wrong", "41");
    std::fs::remove_dir_all(fixture.path().join(".git")).unwrap();
    let mut command = fixture.grader(&["bugs"]);
    let parent = fixture.path().parent().unwrap();
    let output = command.env("GIT_CEILING_DIRECTORIES", parent).output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    assert!(String::from_utf8_lossy(&output.stderr).contains("git ls-files failed"));
}
