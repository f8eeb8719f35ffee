//! `cargo lab stress` and `merge`: the table, what is kept, resuming, shards, the status line.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::fixture::{Fixture, Ran};

/// The lines of a file as JSON.
fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_table_and_what_is_kept() {
    let fixture = Fixture::new();
    let ran = fixture
        .lab("stress passes_9a fails_sometimes_9b --seeds 1..=59 -t --json runs.jsonl")
        .expect(1);
    // 3, 10, ..., 59 fail.
    ran.shows("Test                Failed  Total  Time            CPU            Rate     First");
    ran.shows("passes_9a                0     59  1.50 +- 0.00 s  1.0 +- 0.0 ms  < 5.0 %  -");
    ran.shows("fails_sometimes_9b       9     59  1.50 +- 0.00 s  1.0 +- 0.0 ms  15.3 %   3");
    ran.shows("expected one leader, got none\n  cargo lab replay fails_sometimes_9b 3:stall");
    ran.shows("9 of 118 runs failed");
    let summary: Value =
        serde_json::from_str(&fixture.read("lab-runs/latest/summary.json")).unwrap();
    assert_eq!(summary["complete"], true);
    let tests = summary["tests"].as_array().unwrap();
    assert_eq!((&tests[0]["runs"], &tests[0]["failed"]), (&59.into(), &0.into()));
    assert!(tests[0]["bound95"].as_f64().unwrap() < 0.05);
    assert_eq!(tests[1]["first_failure"]["replay"], "cargo lab replay fails_sometimes_9b 3:stall");
    assert!(fixture.read("lab-runs/latest/table.txt").contains("fails_sometimes_9b"));
    let mut kept: Vec<String> = fs::read_dir(fixture.path("lab-runs/latest"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    kept.sort();
    assert_eq!(kept.iter().filter(|name| name.starts_with("fails_sometimes_9b_")).count(), 9);
    assert!(
        !kept.iter().any(|name| name.starts_with('.') || name.starts_with("passes")),
        "{kept:?}"
    );
    let runs = json_lines(&fixture.read("runs.jsonl"));
    assert_eq!(runs.len(), 118);
    for field in ["test", "seed", "policy", "verdict", "virtual_seconds", "cpu_seconds", "events"] {
        assert!(!runs[0][field].is_null(), "{field}");
    }
}

#[test]
fn flags() {
    let fixture = Fixture::new();
    let first = |words: &str| {
        fixture.lab(words);
        json_lines(&fixture.read("lab-runs/latest/runs.jsonl"))
    };
    let runs = first("stress fails_sometimes_9b --seeds 0..500 -x -p 1");
    assert_eq!(runs.len(), 4);
    let runs = first("stress fails_rarely_9b --until-fail -p 1");
    assert_eq!(runs.iter().filter(|run| run["verdict"] == "fail").count(), 1);
    let runs = first("stress 9A --seeds 0..25 -s -p 1");
    let tests: Vec<&str> = runs.iter().map(|run| run["test"].as_str().unwrap()).collect();
    assert!(tests[..25].iter().all(|test| *test == "passes_9a"));
    assert!(tests[25..].iter().all(|test| *test == "passes_too_9a"));
    let runs = first("stress fails_sometimes_9b passes_9a --loop -g 3 -x --seeds 0..2 -p 1");
    assert!(runs.iter().any(|run| run["seed"] == 3)); // Of the second round.
    first("stress passes_9a -n 2 -a");
    let logs = fs::read_dir(fixture.path("lab-runs/latest"))
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().join("log.txt").exists());
    assert_eq!(logs.count(), 2);
    let ran = fixture.lab("stress fails_9b -n 3 -v").expect(1);
    ran.shows("property  nothing fails").shows("claim     It fails.");
    fixture
        .lab("stress unknown_9c -n 3")
        .expect(2)
        .shows("3 runs are inconclusive: a checker reached its limit");
    fixture.lab("stress rig -n 3").expect(0).shows("turns       0      3");
}

#[test]
fn an_interrupted_run_resumes_until_the_code_changes() {
    let fixture = Fixture::new();
    let words = "stress slow_9e -n 600 -p 2";
    let interrupted = interrupt(&fixture, words);
    assert_eq!(interrupted.code, 130, "{}{}", interrupted.out, interrupted.err);
    interrupted.shows("slow_9e       0").says("stopped early: the same command resumes");
    let runs = fixture.read("lab-runs/latest/runs.jsonl").lines().count();
    assert!((1..600).contains(&runs), "{runs}");
    assert!(!fixture.path("lab-runs/latest/summary.json").exists());
    fixture.lab("explain slow_9e").expect(0).shows(&format!("; 0 of {runs} runs failed"));
    // What a crash may have left of a line is dropped.
    let text = fixture.read("lab-runs/latest/runs.jsonl");
    fixture.write("lab-runs/latest/runs.jsonl", &(text + "{\"lab\":\"toy\",\"test\":\"slow"));

    let again = fixture.lab("stress slow_9e -n 600 -p 2").expect(0);
    again.shows(&format!(": {runs} runs are done")).shows("0 of 600 runs failed");
    assert_eq!(fixture.runs().len(), 1);
    let mut seeds: Vec<u64> = json_lines(&fixture.read("lab-runs/latest/runs.jsonl"))
        .iter()
        .map(|run| run["seed"].as_u64().unwrap())
        .collect();
    seeds.sort_unstable();
    seeds.dedup();
    assert_eq!(seeds.len(), 600);

    // A finished run is not resumed, nor one of another build.
    interrupt(&fixture, words);
    fixture.change_code("// Another line moves nothing, but this does:\nconst _: () = ();\n");
    let code = fixture.read("toy/tests/grading.rs");
    fixture.write("toy/tests/grading.rs", &code.replace("from_millis(20)", "from_millis(1)"));
    let fresh = fixture.lab(words).expect(0);
    assert!(!fresh.out.contains("resuming"), "{}", fresh.out);
    assert_eq!(fixture.runs().len(), 3);
}

/// Programs and tests are copied once, and only the copies run: what is built meanwhile changes
/// nothing. A run of other programs is not resumed.
#[test]
fn a_program_that_is_rebuilt_meanwhile_changes_nothing() {
    let fixture = Fixture::new();
    let words = "stress program_9g --seeds 0..400 -p 2";
    let child = started(&fixture, words);
    let code = fixture.read("toy/src/bin/answer.rs");
    fixture.write("toy/src/bin/answer.rs", &code.replace("42", "41"));
    let build = ["build", "-p", "toy"];
    let mut cargo = Command::new("cargo");
    cargo
        .args(build)
        .current_dir(fixture.path("."))
        .env("CARGO_TARGET_DIR", fixture.path("target"));
    assert!(cargo.env("CARGO_PROFILE_DEV_DEBUG", "0").output().unwrap().status.success());
    let runs = fixture.read("lab-runs/latest/runs.jsonl").lines().count();
    assert!(runs < 400, "the program was rebuilt too late to prove anything");
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let ran = Ran::from(child.wait_with_output().unwrap()).expect(130);
    ran.shows("program_9g       0");
    assert!(!fixture.path("lab-runs/builds").exists(), "the copies are not in use any more");
    let ran = fixture.lab(words).expect(1);
    ran.shows("400 of 400 runs failed");
    assert!(!ran.out.contains("resuming"), "{}", ran.out);
}

/// Starts a command and presses Ctrl-C as soon as it has results.
fn interrupt(fixture: &Fixture, words: &str) -> Ran {
    let child = started(fixture, words);
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    Ran::from(child.wait_with_output().unwrap())
}

/// Starts a command and waits until it has results.
fn started(fixture: &Fixture, words: &str) -> Child {
    let before = fixture.runs();
    let has_results = || {
        let fresh = fixture.runs().into_iter().find(|run| !before.contains(run));
        fresh.is_some_and(|run| {
            let runs = fs::read_to_string(fixture.path(&format!("lab-runs/{run}/runs.jsonl")));
            runs.is_ok_and(|text| text.contains('\n'))
        })
    };
    let child = fixture.command(words).spawn().unwrap();
    while !has_results() {
        thread::sleep(Duration::from_millis(20));
    }
    child
}

#[test]
fn shards_are_joined() {
    let fixture = Fixture::new();
    for k in 1..=3 {
        fixture.lab(&format!("stress fails_sometimes_9b -n 50 --shard {k}/3 -o shard-{k}"));
    }
    assert!(!fixture.path("lab-runs").exists());
    let ran = fixture.lab("merge shard-1 shard-3").expect(1);
    ran.says("fails_sometimes_9b: only 33 of 50 runs were found");
    let ran = fixture.lab("merge shard-1 shard-2 shard-3 --json all.jsonl").expect(1);
    ran.shows("fails_sometimes_9b       7     50").shows("50 runs of 3 shards");
    assert!(!ran.err.contains("note:"), "{}", ran.err);
    let mut seeds: Vec<u64> = json_lines(&fixture.read("all.jsonl"))
        .iter()
        .map(|run| run["seed"].as_u64().unwrap())
        .collect();
    seeds.sort_unstable();
    assert_eq!(seeds, (1..=50).collect::<Vec<u64>>());
    assert!(fixture.read("lab-runs/latest/summary.json").contains("\"complete\": true"));
    fixture.change_code("const _: u8 = 0;\nfn _other() { println!(\"other\"); }\n");
    let code = fixture.read("toy/tests/grading.rs");
    fixture.write("toy/tests/grading.rs", &code.replace("seed % 7 == 3", "seed % 7 == 4"));
    fixture.lab("stress fails_sometimes_9b -n 50 --shard 2/3 -o shard-2").expect(1);
    fixture.lab("merge shard-1 shard-2 shard-3").expect(1).says("have results of different builds");
}

#[test]
fn the_status_line_of_test_many() {
    let fixture = Fixture::new();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/test-many.sh");
    let run = |arguments: &[&str]| {
        let mut command = Command::new("bash");
        command.arg(script).args(arguments).current_dir(fixture.path("."));
        command.env("LAB_COMMAND", env!("CARGO_BIN_EXE_lab"));
        command.env("CARGO_TARGET_DIR", fixture.path("target")).env("TERM", "dumb");
        Ran::from(command.output().unwrap())
    };
    let ran = run(&["3", "1", "9A"]).expect(0);
    let lines: Vec<&str> = ran.out.lines().take(3).collect();
    assert_eq!(
        lines,
        ["Done 001/3; 1 ok, 0 failed", "Done 002/3; 2 ok, 0 failed", "Done 003/3; 3 ok, 0 failed"]
    );
    let ran = run(&["2", "2", "9b"]).expect(1);
    ran.shows("Done 002/2; 0 ok, 2 failed\n");
    run(&["many"]).expect(5);
    run(&["1", "1", "9Z"]).expect(4);
}

#[test]
fn a_pipe_sees_plain_lines_and_failures_as_they_come() {
    let fixture = Fixture::new();
    let mut child = fixture.command("stress fails_9b slow_9e --seeds 1..=3 -p 1").spawn().unwrap();
    let first = BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    assert_eq!(first, "FAIL fails_9b 1:stall  expected one leader, got none");
    child.wait().unwrap();
}
