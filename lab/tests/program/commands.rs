//! `test`, `list`, `explain`, and the exit codes of all commands.

use crate::fixture::Fixture;

#[test]
fn a_pass_is_shown_with_points_and_keeps_nothing() {
    let fixture = Fixture::new();
    let ran = fixture.lab("test 9a --seed 7").expect(0);
    assert_eq!(
        ran.out,
        "Test (9A): passes ...\n  ... Passed --   1.5  3   58   16840    2\n\
         Test (9A): passes too ...\n  ... Passed --   1.5  3   58   16840    2\n\
         \nTests passed: 2/2  (seed 7:stall)\nPoints: 6/6 (100%)\n"
    );
    ran.says("$ cargo test -p toy --no-run --test grading");
    assert!(!fixture.path("lab-runs").exists());
    // A health check is judged by its exit code, and runs only when it is named.
    fixture.lab("test rig").expect(0).shows("Tests passed: 1/1").shows("Test (rig): turns ...");
}

#[test]
fn tests_with_processes_run_in_real_time() {
    let fixture = Fixture::new();
    let ran = fixture.lab("test 9f --seed 7 --policy pct").expect(1);
    ran.shows("Test (9F): process passes ...\n  ... Passed --   1.5\n").shows("(seed 7 --real)");
    let kept = "lab-runs/latest/process_fails_9f_7_real/";
    assert_eq!(
        fixture.read(format!("{kept}replay.txt")),
        "cargo lab replay process_fails_9f 7 --real\n"
    );
    assert!(!fixture.path(&format!("{kept}log.txt")).exists(), "a log would be another run's");
    let ran = fixture.lab("replay process_fails_9f 7").expect(1);
    ran.shows("FAIL process_fails_9f 7 --real  1.500 s of real time\n");
    ran.says("a seed does not repeat a run in real time: this was a different run");
    fixture.lab("test passes_9a process_passes_9f --seed 7").expect(0).shows("(seed 7:stall)");
    let ran = fixture.lab("stress 9f --seeds 1..4 --verbose").expect(1);
    ran.shows("cargo lab replay process_fails_9f 1 --real").shows("3 of 6 runs failed");
    ran.shows("\nprocess_fails_9f failed at 1.500 s");
    let ran = fixture.lab("explain process_passes_9f").expect(0);
    ran.shows("reference 1.5 s of real time").shows("yours     1.5 s of real time; 0 of ");
    ran.shows("points    1, graded with 3 runs").shows("stress process_passes_9f -n 20");
}

#[test]
fn a_failure_is_shown_with_its_report_and_kept() {
    let fixture = Fixture::new();
    let ran = fixture.lab("test passes_9a fails_9b --seed 7").expect(1);
    ran.shows("actual    expected one leader, got none").shows("Tests passed: 1/2");
    ran.shows("Points: 3/7 (42%)");
    let log = fixture.read("lab-runs/latest/fails_9b_7_stall/log.txt");
    assert!(log.contains("012500 VOTE S10@5 granted to S0"), "{log}");
    assert_eq!(
        fixture.read("lab-runs/latest/fails_9b_7_stall/replay.txt"),
        "cargo lab replay fails_9b 7:stall\n"
    );
    // Without a file, the log of the latest failure would be shown on a terminal.
    let ran = fixture.lab("logs lab-runs/latest/fails_9b_7_stall -c 1").expect(0);
    ran.shows("012500 VOTE S10@5 granted to S0");
}

#[test]
fn exit_codes() {
    let fixture = Fixture::new();
    fixture.lab("test passes_9a").expect(0);
    fixture.lab("test fails_9b").expect(1);
    fixture.lab("test unknown_9c").expect(2).shows("Unknown: a checker reached its limit");
    fixture.lab("test 9Z").expect(4).says("'9Z' matches no test. Labs: toy, rig. Parts: 9A,");
    fixture.lab("stress nothing").expect(4);
    fixture.lab("explain nothing").expect(4);
    fixture.lab("list nothing").expect(4);
    fixture.lab("replay nothing 7").expect(4);
    for usage in [
        "",
        "dance",
        "test --seed x",
        "stress",
        "stress 9A -n 0",
        "stress 9A --shard 5/4",
        "stress 9A --seeds 5..5",
        "stress 9A --policy lifo",
        "replay passes_9a",
        "replay 9A 7:lifo",
        "logs -c 0",
        "logs -j VOTES",
        "merge",
        "stress 9A -n 3 --until-fail",
    ] {
        fixture.lab(usage).expect(5);
    }
    fixture.lab("--help").expect(0).shows("Exit codes: 0 all passed");
    fixture.lab("stress --help").expect(0).shows("cargo lab merge shard-*");
    fixture.lab("--version").expect(0);
    fixture.lab("merge toy").expect(5).says("toy contains no results of a stress run");
    fixture.lab("logs nowhere.txt").expect(5).says("cannot read nowhere.txt");
    fixture.change_code("fn broken() -> u32 {}\n");
    fixture.lab("test 9A").expect(3).says("toy does not compile").says("mismatched types");
    fixture.lab("stress 9A").expect(3);
    fixture.lab("replay passes_9a 7").expect(3);
    // Each lab is built on its own, and costs only its own tests.
    fixture.lab("test rig").expect(0);
    fixture.lab("test rig 9A").expect(3).shows("Tests passed: 1/1");
}

#[test]
fn outside_of_a_workspace() {
    let fixture = Fixture::new();
    std::fs::remove_file(fixture.path("lab/labs.toml")).unwrap();
    fixture.lab("list").expect(5).says("contains lab/labs.toml: run this inside the labs");
    fixture.write("lab/labs.toml", "lab = 7");
    fixture.lab("list").expect(5).says("lab/labs.toml cannot be parsed");
}

#[test]
fn list_and_explain() {
    let fixture = Fixture::new();
    let ran = fixture.lab("list 9A").expect(0);
    assert_eq!(
        ran.out,
        "Lab  Part  Points  Test           Claim\n\
         toy  9A         3  passes_9a      It passes.\n\
         toy  9A         3  passes_too_9a  It passes too.\n\n6 points\n"
    );
    fixture.lab("list").expect(0).shows("rig: the machinery; a health check without points");
    let ran = fixture.lab("explain passes_9a").expect(0);
    ran.shows("passes_9a  (Toy, 9A: Good)").shows("claim     It passes.").shows("cause     None.");
    ran.shows("read      section 1").shows("reference 1.5 s of virtual time");
    ran.shows("yours     no stored run").shows("points    3, graded with 20 seeds");
    fixture.lab("stress passes_9a -n 5").expect(0);
    let mistakes = r#"{"passes_9a": [{"others": 0, "mistake": "It fails."}]}"#;
    fixture.write("lab/mistakes.json", mistakes);
    let ran = fixture.lab("explain PASSES_9A").expect(0);
    ran.shows("  mistake   It fails. Only this test finds it.");
    ran.shows("yours     1.5 s of virtual time, 1.0 ms of CPU; 0 of 5 runs failed");
}

#[test]
fn a_catalog_that_disagrees_with_the_tests_is_noticed() {
    let fixture = Fixture::new();
    let catalog = fixture.read("lab/labs.toml");
    fixture.write("lab/labs.toml", &catalog.replace("passes_too_9a", "passes_more_9a"));
    let ran = fixture.lab("test 9A").expect(0);
    ran.says("lab/labs.toml lists passes_more_9a, but toy has no such test");
    ran.says("toy has the test passes_too_9a, but lab/labs.toml does not list it");
    ran.shows("Tests passed: 2/2"); // It runs all the same: its name says that it is of 9A.
}
