//! `cargo lab show`, and the pages that other commands write for failing runs.

use std::fs;

use crate::fixture::Fixture;

#[test]
fn a_page_for_a_failing_run_and_for_a_passing_one() {
    let fixture = Fixture::new();
    let ran = fixture.lab("show fails_9b 10 --no-open -o page.html").expect(0);
    assert_eq!(ran.out, "FAIL fails_9b 10:stall  page.html\n");
    let page = fixture.read("page.html");
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    assert!(fixture.runs().is_empty(), "only the page is kept");
    let ran = fixture.lab("show PASSES_9A 7:pct").expect(0);
    assert!(ran.out.starts_with("PASS passes_9a 7:pct  lab-runs/"), "{}", ran.out);
    let path = ran.out.split_whitespace().last().unwrap();
    assert!(path.ends_with("_show_passes_9a/passes_9a_7_pct/report.html"), "{path}");
    assert!(fixture.read(path).starts_with("<!doctype html>"));
}

#[test]
fn the_recording_itself() {
    let fixture = Fixture::new();
    let ran = fixture.lab("show fails_9b 10 --json").expect(0);
    let lines: Vec<serde_json::Value> =
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["kind"], &lines[0]["seed"]), (&"run".into(), &10.into()));
    assert_eq!(lines.last().unwrap()["result"], "failed");
    fixture.lab("show fails_9b 10 --json -o run.jsonl").expect(0).shows("FAIL fails_9b 10:stall");
    assert_eq!(fixture.read("run.jsonl"), ran.out);
}

#[test]
fn errors_name_test_and_seed() {
    let fixture = Fixture::new();
    fixture.lab("show 9B 10").expect(5).says("'9B' matches several tests: fails_9b, fails_some");
    fixture.lab("show nothing 10").expect(4).says("'nothing' matches no test");
    let ran = fixture.lab("show process_fails_9f 3 --no-open").expect(5);
    ran.says("process_fails_9f 3:stall: only a simulated run can be drawn");
    let ran = fixture.lab("show exits_9d 3 --no-open").expect(5);
    ran.says("exits_9d 3:stall: the run has left no recording");
    let ran = fixture.lab("show fails_9b 3 --no-open -o no/such/page.html").expect(5);
    ran.says("cannot write no/such/page.html");
    assert!(fixture.runs().is_empty());
}

#[test]
fn failing_runs_of_other_commands_are_drawn() {
    let fixture = Fixture::new();
    for command in ["test fails_9b --seed 5", "replay fails_9b 5"] {
        let ran = fixture.lab(command).expect(1);
        let line = ran.out.lines().find_map(|line| line.strip_prefix("  picture   "));
        let path = line.unwrap_or_else(|| panic!("{command} names no picture:\n{}", ran.out));
        assert!(fixture.read(path).starts_with("<!doctype html>"), "{command}");
    }
    let ran = fixture.lab("test passes_9a --seed 5").expect(0);
    assert!(!ran.out.contains("picture"), "{}", ran.out);
}

#[test]
fn the_first_failing_run_of_a_stress_run_is_drawn() {
    let fixture = Fixture::new();
    let ran = fixture.lab("stress fails_9b --seeds 1..4 -p 1 -o runs").expect(1);
    ran.shows("\npicture of fails_9b: runs/").shows("/fails_9b_1_stall/report.html\n");
    let directories = fs::read_dir(fixture.path("runs")).unwrap().map(|it| it.unwrap().path());
    let runs: Vec<_> = directories.filter(|path| path.is_dir() && !path.is_symlink()).collect();
    let [run] = &runs[..] else { panic!("one run: {runs:?}") };
    let drawn: Vec<bool> = (1..4)
        .map(|seed| run.join(format!("fails_9b_{seed}_stall/report.html")).exists())
        .collect();
    assert_eq!(drawn, [true, false, false]);
    assert!(!run.join("fails_9b_1_stall/recording.jsonl").exists());
}
