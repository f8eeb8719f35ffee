//! What a run prints and records, seen from outside: these tests start this very binary again,
//! which then runs the samples below.

#![expect(clippy::unwrap_used, reason = "helpers of tests, in a crate of its own")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use contract::settings::{forget_settings, forget_verbosity};
use labrpc::Service;
use rustix::process::{Pid, test_kill_process};
use serde_json::Value;
use testkit::{Boot, Cluster, LabTest, Process, Sim, Started, Violation, lab_test, process_test};

/// What is printed for a run of a sample that passes.
const PASSED: &str = "\n  ... Passed --   1.0  3    3      51    2\n";

/// Three servers, each of which calls the next one once.
fn ring(sim: &Sim) -> Cluster<()> {
    let start = |boot: Boot| {
        let next = boot.ends[(boot.me + 1) % boot.ends.len()].clone();
        labrpc::spawn(move || {
            labrpc::sleep(Duration::from_millis(100));
            next.call::<_, String>("Echo.Twice", &"hello".to_string()).ok();
        });
        let service = Service::new("Echo").method("Twice", |text: String| text.repeat(2));
        Started { handle: (), services: vec![service] }
    };
    let cluster = Cluster::new(sim, "S", 3, start, |()| {});
    cluster.start_all();
    cluster
}

/// A sample that passes.
fn pass(sim: &Sim) {
    let _ring = ring(sim);
    sim.sleep(Duration::from_secs(1));
    sim.set_commits(2);
}

#[test]
#[ignore = "a sample for the tests below"]
fn one_passes_0a() {
    lab_test("one_passes_0a", pass);
}

#[test]
#[ignore = "a sample for the tests below"]
fn other_passes_0a() {
    lab_test("other_passes_0a", pass);
}

#[test]
#[ignore = "a sample for the tests below"]
fn breaks_its_promise_0b() {
    lab_test("breaks_its_promise_0b", |sim| {
        let ring = ring(sim);
        ring.disconnect(1);
        sim.update_server(ring.line(0), |line| {
            (line.term, line.is_leader, line.applied) = (Some(4), true, Some(5));
        });
        sim.sleep(Duration::from_secs(1));
        let violation = Violation::new("one leader per term", "expected one leader, got none")
            .expected("one leader in term 4");
        sim.check(Err::<(), _>(violation));
    });
}

#[test]
#[ignore = "a sample for the tests below"]
fn server_is_unwritten_0b() {
    lab_test("server_is_unwritten_0b", |sim| {
        ring(sim).call(2, |()| labrpc::your_code_here("Raft::start", ()));
    });
}

#[test]
#[ignore = "a sample for the tests below"]
fn server_panics_0b() {
    lab_test("server_panics_0b", |sim| {
        let ring = ring(sim);
        ring.call(2, |()| panic!("index 7 is beyond the log"));
    });
}

#[test]
#[ignore = "a sample for the tests below"]
fn zombie_goes_on_0b() {
    lab_test("zombie_goes_on_0b", |sim| {
        let start = |boot: Boot| {
            labrpc::spawn(move || {
                loop {
                    boot.ends[1].call::<_, ()>("Raft.AppendEntries", &()).ok();
                    labrpc::sleep(Duration::from_millis(500));
                }
            });
            let service = Service::new("Raft").method("AppendEntries", |(): ()| ());
            Started { handle: (), services: vec![service] }
        };
        let cluster = Cluster::new(sim, "S", 2, start, |()| {});
        cluster.start_all();
        cluster.shutdown(0);
        sim.sleep(Duration::from_secs(9));
    });
}

#[test]
#[ignore = "a sample for the tests below"]
fn crashes_servers_0d() {
    LabTest::new("crashes_servers_0d").simulation_only().run(|sim| ring(sim).crash(0));
}

#[test]
#[ignore = "a sample for the tests below"]
fn checker_gives_up_0d() {
    lab_test("checker_gives_up_0d", |sim| sim.unknown("the checker ran out of time"));
}

#[test]
#[ignore = "a sample for the tests below"]
fn seed_three_fails_0e() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    lab_test("seed_three_fails_0e", |_sim| {
        assert!(RUNS.fetch_add(1, Relaxed) < 2, "enough");
    });
}

#[test]
#[ignore = "a sample for the tests below"]
fn process_passes_0f() {
    process_test("process_passes_0f", |sim| {
        assert!(sim.is_real());
        Process::start(&mut Command::new("true")).succeed();
    });
}

#[test]
#[ignore = "a sample for the tests below"]
fn process_fails_0f() {
    process_test("process_fails_0f", |_sim| {
        let mut sleeper = Process::start(Command::new("sleep").arg("1000"));
        std::fs::write(std::env::var("SLEEPER").unwrap(), sleeper.id().to_string()).unwrap();
        Process::start(Command::new("sh").args(["-c", "echo cannot >&2; exit 3"])).succeed();
        sleeper.kill();
    });
}

/// Runs samples, with settings as environment variables.
fn run(samples: &[&str], arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    forget_verbosity(forget_settings(&mut command))
        .args(["--ignored", "--exact"])
        .args(samples)
        .args(arguments)
        .env("LAB_SEED", "1")
        .envs(settings.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// What was written to standard output.
fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A fresh report file.
struct ReportFile(PathBuf);

impl ReportFile {
    /// A file for the test with this name.
    fn new(test: &str) -> Self {
        let name = format!("testkit-{}-{test}.jsonl", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::remove_file(&path).ok(); // There is none, most often.
        Self(path)
    }

    /// Runs one sample with this report file.
    fn run(&self, sample: &str, settings: &[(&str, &str)]) -> Output {
        let mut settings = settings.to_vec();
        settings.push(("LAB_REPORT", self.0.to_str().unwrap()));
        run(&[sample], &[], &settings)
    }

    /// The records in it.
    fn records(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.0).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for ReportFile {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).ok(); // It may never have been made.
    }
}

#[test]
fn passed_lines_stand_on_their_own_with_one_thread() {
    let output = run(&["one_passes_0a", "other_passes_0a"], &["--test-threads=1"], &[]);
    let expected = format!(
        "\nrunning 2 tests\n\
         test one_passes_0a ... \nTest (0A): one passes ...{PASSED}ok\n\
         test other_passes_0a ... \nTest (0A): other passes ...{PASSED}ok\n\
         \ntest result: ok. 2 passed; 0 failed; 0 ignored; 0 measured;"
    );
    let shown = stdout(&output);
    assert!(shown.starts_with(&expected), "{shown}\n--- expected\n{expected}");
}

#[test]
fn passed_lines_stay_together_with_two_threads() {
    let output = run(&["one_passes_0a", "other_passes_0a"], &["--test-threads=2"], &[]);
    let shown = stdout(&output);
    for name in ["one", "other"] {
        assert!(shown.contains(&format!("\nTest (0A): {name} passes ...{PASSED}")), "{shown}");
    }
    // libtest writes a test's name and its result apart: the lines of the other test may stand between.
    assert!(shown.contains("test result: ok. 2 passed;"), "{shown}");
}

#[test]
fn many_runs_are_summed_up_in_one_line() {
    let output = run(&["one_passes_0a"], &[], &[("LAB_RUNS", "5")]);
    let shown = stdout(&output);
    let line = "... Passed 5 runs, on average --   1.0  3    3      51    2  in ";
    assert!(shown.contains(line), "{shown}");
    assert_eq!(shown.matches("Passed").count(), 1, "{shown}");
}

#[test]
fn report_says_what_passed_before() {
    let shown = stdout(&run(&["seed_three_fails_0e"], &[], &[("LAB_RUNS", "10")]));
    assert!(shown.contains("(seeds 1 to 2 had passed before, in the same process)"), "{shown}");
}

#[test]
fn processes_run_in_real_time_and_are_recorded() {
    let file = ReportFile::new("process");
    let output = file.run("process_passes_0f", &[("LAB_RUNS", "2"), ("LAB_RUNTIME", "sim")]);
    let shown = stdout(&output);
    let line = "\nTest (0F): process passes ...\n  ... Passed 2 runs, on average -- ";
    assert!(output.status.success() && shown.contains(line), "{shown}");
    let records = file.records();
    assert_eq!(records.len(), 2);
    for (record, seed) in records.iter().zip([1, 2]) {
        assert_eq!((&record["seed"], &record["verdict"]), (&seed.into(), &"pass".into()));
        assert_eq!((&record["nonce"], &record["policy"]), (&"".into(), &Value::Null));
        assert_eq!(record["statistics"], Value::Null);
        assert!(record["virtual_seconds"].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn failed_test_leaves_no_process_and_says_what_the_program_said() {
    let file = ReportFile::new("process-fails");
    let sleeper = file.0.with_extension("pid");
    let output = file.run("process_fails_0f", &[("SLEEPER", sleeper.to_str().unwrap())]);
    let shown = stdout(&output);
    for part in [
        "  actual    sh -c echo cannot >&2; exit 3 ended with exit status: 3: cannot\n",
        "  panic at  testkit/tests/output.rs:",
        "  replay    cargo lab replay process_fails_0f 1 --real\n",
    ] {
        assert!(shown.contains(part), "{shown}\n--- expected\n{part}");
    }
    assert_eq!(file.records()[0]["verdict"], "fail");
    let pid: i32 = std::fs::read_to_string(&sleeper).unwrap().parse().unwrap();
    assert!(test_kill_process(Pid::from_raw(pid).unwrap()).is_err(), "{pid} is alive");
    std::fs::remove_file(sleeper).unwrap();
}

#[test]
fn report_shows_property_servers_and_how_to_replay() {
    let output = run(&["breaks_its_promise_0b"], &[], &[]);
    assert!(!output.status.success());
    let shown = stdout(&output);
    let expected = "\
breaks_its_promise_0b failed at 1.000 s of virtual time, seed 1, policy stall
  property  one leader per term
  expected  one leader in term 4
  actual    expected one leader, got none
  S0@4 leader     applied 5     connected
  S1              disconnected
  S2              connected
  explain   cargo lab explain breaks_its_promise_0b
  replay    cargo lab replay breaks_its_promise_0b 1:stall
            LAB_SEED=1 LAB_POLICY=stall cargo test -p testkit --test output -- --exact \
                    breaks_its_promise_0b
";
    assert!(shown.contains(expected), "{shown}\n--- expected\n{expected}");
}

#[test]
fn report_of_a_panic_names_task_and_place() {
    let shown = stdout(&run(&["server_panics_0b"], &[], &[]));
    for part in [
        "  property  nothing panics\n  actual    index 7 is beyond the log\n  panic at  testkit",
        "  task      S2: task ",
    ] {
        assert!(shown.contains(part), "{shown}\n--- expected\n{part}");
    }
}

#[test]
fn reports_have_the_frames_of_the_runtime_only_if_all_are_wanted() {
    for runtime in ["sim", "real"] {
        let shown = |value: &str| {
            let settings = [("RUST_BACKTRACE", value), ("LAB_RUNTIME", runtime)];
            stdout(&run(&["server_panics_0b"], &[], &settings))
        };
        let (none, one, full) = (shown("0"), shown("1"), shown("full"));
        assert!(one.contains("  actual    index 7 is beyond the log\n"), "{one}");
        assert_eq!(one.lines().count(), none.lines().count(), "{one}");
        assert_eq!(full.matches("\n  backtrace\n").count(), 1, "{full}");
        assert!(full.lines().count() > one.lines().count() + 20, "{full}");
    }
}

#[test]
fn report_names_a_function_that_is_not_written() {
    let shown = stdout(&run(&["server_is_unwritten_0b"], &[], &[]));
    let expected = "  property  Raft::start is written\n  actual    Raft::start is not written yet: \
                    testkit/tests/output.rs:";
    assert!(shown.contains(expected), "{shown}\n--- expected\n{expected}");
}

#[test]
fn zombie_that_goes_on_calling_is_accused() {
    let shown = stdout(&run(&["zombie_goes_on_0b"], &[], &[]));
    let expected = "  property  a server that was killed falls silent\n  actual    S0 still calls \
                    Raft.AppendEntries more than 2 s after kill()\n";
    assert!(shown.contains(expected), "{shown}\n--- expected\n{expected}");
}

#[test]
fn record_of_a_pass_tells_all() {
    let file = ReportFile::new("pass");
    assert!(file.run("one_passes_0a", &[("LAB_POLICY", "pct")]).status.success());
    let records = file.records();
    let [record] = &records[..] else { panic!("{records:?}") };
    for (field, expected) in [
        ("version", Value::from(3)),
        ("nonce", "".into()),
        ("lab", "testkit".into()),
        ("part", "0A".into()),
        ("test", "one_passes_0a".into()),
        ("seed", 1.into()),
        ("policy", "pct".into()),
        ("verdict", "pass".into()),
        ("kind", Value::Null),
        ("failure", Value::Null),
    ] {
        assert_eq!(record[field], expected, "{field}");
    }
    let statistics = &record["statistics"];
    assert_eq!((&statistics["peers"], &statistics["rpcs"]), (&3.into(), &3.into()));
    assert!(record["virtual_seconds"].as_f64().unwrap() >= 1.0);
    assert!(record["events"].as_u64().unwrap() > 0);
    assert_eq!(record["trace_hash"].as_str().unwrap().len(), 16);
}

#[test]
fn verdicts_are_recorded() {
    for (sample, settings, verdict) in [
        ("breaks_its_promise_0b", &[][..], "fail"),
        ("crashes_servers_0d", &[("LAB_RUNTIME", "real")], "skipped"),
        ("checker_gives_up_0d", &[], "unknown"),
    ] {
        let file = ReportFile::new(sample);
        file.run(sample, settings);
        let records = file.records();
        assert_eq!(records.len(), 1, "{sample}");
        assert_eq!(records[0]["verdict"], verdict, "{sample}");
        assert_eq!(records[0]["failure"].is_object(), verdict == "fail", "{sample}");
    }
}

#[test]
fn every_run_has_a_record_of_its_own() {
    let file = ReportFile::new("runs");
    file.run("one_passes_0a", &[("LAB_RUNS", "3")]);
    let seeds: Vec<_> = file.records().iter().map(|record| record["seed"].clone()).collect();
    assert_eq!(seeds, [1, 2, 3]);
}

#[test]
fn tests_of_the_simulation_alone_are_skipped_on_real_threads() {
    let shown = stdout(&run(&["crashes_servers_0d"], &[], &[("LAB_RUNTIME", "real")]));
    let expected = "\nTest (0D): crashes servers ...\n  ... skipped: simulation only\n";
    assert!(shown.contains(expected), "{shown}");
}
