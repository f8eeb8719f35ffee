//! Student code that cheats: whatever it does, a run that has failed is judged as failed, and the
//! verdict says why.
//!
//! The [samples] run inside this very binary, each judged as `cargo lab` and `cargo grader` judge.

#![expect(clippy::unwrap_used, reason = "helpers of tests, in a crate of its own")]

#[path = "forgery/samples.rs"]
mod samples;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use contract::record::{Run, Verdict};
use judge::{Build, Catalog, Judge, Limits, Output, Resources, Stop, TestCase};
use labrpc::Instant;

use crate::samples::HONEST;

/// What a judge says of a process that ends early.
const EXITED: &str = "the process ended with exit code 0 before the run was over; \
                      does the code call std::process::exit?";

/// Signals that can end a process, and some that cannot.
const SIGNALS: [&str; 17] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "XCPU", "CHLD",
];

/// Starts the samples; see [`judge`].
#[test]
fn launcher() {
    judge::launcher_main();
}

/// Judges samples.
struct Bench {
    cases: Vec<TestCase>,
}

/// One for all tests but those that destroy theirs: a program that is being copied cannot be run while another thread forks.
static BENCH: LazyLock<Bench> = LazyLock::new(|| Bench::new("builds"));

impl Bench {
    /// This binary as a lab, copied to a directory with this name.
    fn new(builds: &str) -> Self {
        let catalog = "lab = [{ name = 'testkit', title = '', target = 'forgery' }]";
        let catalog = Catalog::parse(catalog).unwrap();
        let builds = Path::new(env!("CARGO_TARGET_TMPDIR")).join(builds);
        let here = std::env::current_exe().unwrap();
        let directory = std::env::current_dir().unwrap();
        loop {
            match Build::keep(&here, &[], directory.clone(), &builds) {
                Err(error) if error.to_string().contains("Text file busy") => {}
                build => {
                    let cases = TestCase::all(&catalog.labs[0], &Arc::new(build.unwrap()));
                    return Self { cases };
                }
            }
        }
    }

    /// Runs a sample that may take this long, with a signal in its environment.
    fn judge(&self, sample: &str, signal: &'static str, wall: Duration) -> Run {
        let (judge, case) = (judge_of(sample, signal, wall), self.case(sample));
        let policy = "stall".parse().ok();
        judge.run(case, 7, policy, &Output::Dropped).unwrap().expect("it was not stopped")
    }

    /// Runs a sample twice in one process, unless it fails.
    fn judge_twice(&self, sample: &str) -> Run {
        let (judge, case) = (judge_of(sample, "", LONG), self.case(sample));
        let policy = "stall".parse().ok();
        judge.run_twice(case, 7, policy, &Output::Dropped).unwrap().expect("it was not stopped")
    }

    /// The sample with this name.
    fn case(&self, sample: &str) -> &TestCase {
        self.cases.iter().find(|case| case.name == sample).unwrap()
    }
}

/// A judge of runs that may take this long, with a signal in their environment.
fn judge_of(sample: &str, signal: &'static str, wall: Duration) -> Judge {
    let launcher = [&*std::env::current_exe().unwrap().to_string_lossy(), "--exact", "launcher"]
        .map(Into::into);
    let limits = Limits {
        wall,
        cpu: Some(Duration::from_secs(1)),
        output: 1 << 20,
        resources: Resources::default(),
    };
    let judge = Judge::new(limits, Stop::default()).unwrap().launcher(launcher.into());
    let report = report_file(sample);
    judge.wrap(Box::new(move |mut command| {
        command.env("SIGNAL", signal).env("LAB_REPORT", &report);
        command
    }))
}

/// The file for people of a sample's runs.
fn report_file(sample: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{sample}.jsonl"))
}

/// Far longer than a sample needs on a busy machine.
const LONG: Duration = Duration::from_secs(60);
/// Long enough for a sample that does not end.
const SHORT: Duration = Duration::from_secs(2);

/// What was seen in a run that failed.
fn seen(run: &Run) -> &str {
    assert_eq!(run.verdict, Verdict::Fail, "{}: {run:?}", run.test);
    &run.failure.as_ref().unwrap().actual
}

#[test]
fn forged_records_are_failures_that_say_why() {
    for (sample, expected) in [
        ("no_nonce", "the record carries no nonce"),
        ("old_nonce", "the record carries another run's nonce"),
        ("other_seed", "the record is of seed 8"),
        ("other_test", "the record is of the test no_nonce"),
        ("two_records", "2 records arrived instead of one"),
        ("record_of_a_thread_after_the_first", "2 records arrived instead of one"),
        ("half_a_record", "what arrived is not a whole record"),
        ("other_words", "what arrived is not a valid record"),
        ("old_version", "the record has version 2 instead of 3"),
    ] {
        let run = BENCH.judge(sample, "", LONG);
        assert!(seen(&run).starts_with(expected), "{sample}: {}", seen(&run));
        assert_eq!(run.kind.as_deref(), Some("forged"), "{sample}");
    }
}

#[test]
fn ends_without_a_record_are_failures_that_say_why() {
    for (sample, wall, expected) in [
        ("exits", LONG, EXITED),
        ("hook_exits", LONG, EXITED),
        ("never_ends", SHORT, "it did not end within 2 s and was stopped"),
        ("burns_the_processor", LONG, "it used more than 1 s of processor time"),
    ] {
        let run = BENCH.judge(sample, "", wall);
        assert_eq!(seen(&run), expected, "{sample}");
    }
}

#[test]
fn honest_failures_stay_failures() {
    for sample in ["hook_rewrites_the_report", "reopens_descriptors"] {
        assert_eq!(seen(&BENCH.judge(sample, "", LONG)), HONEST, "{sample}");
    }
    let report = report_file("hook_rewrites_the_report");
    let moved = report.with_extension("jsonl-gone");
    assert!(moved.exists(), "the sample has rewritten and renamed {}", report.display());
    let run = BENCH.judge("stops_its_parent", "STOP", SHORT);
    assert_eq!(seen(&run), HONEST);
}

#[test]
fn a_pass_that_the_launcher_did_not_see_through_is_a_failure() {
    let run = BENCH.judge("stops_its_parent_and_passes", "STOP", SHORT);
    assert_eq!(seen(&run), "it did not end within 2 s and was stopped");
    let run = BENCH.judge("kills_its_parent_and_passes", "KILL", LONG);
    assert_eq!(seen(&run), "the process that watches the test was killed by the run");
}

#[test]
fn no_run_can_answer_for_later_ones() {
    for sample in ["replaces_the_tests", "removes_the_tests"] {
        let bench = Bench::new(sample);
        for victim in [sample, "reads_the_nonce"] {
            let run = bench.judge(victim, "", LONG);
            let expected = "a run has changed the copies of tests and programs";
            assert_eq!(seen(&run), expected, "{victim} after {sample}");
        }
    }
}

#[test]
fn what_servers_share_past_the_network_shows_in_a_second_run() {
    assert_eq!(BENCH.judge("shares_a_static", "", LONG).verdict, Verdict::Pass);
    let run = BENCH.judge_twice("shares_a_static");
    assert_eq!((run.verdict, run.kind.as_deref()), (Verdict::Diverged, Some("leak")));
    let failure = run.failure.unwrap();
    assert_eq!(failure.property, "a run depends on its seed only");
    assert!(failure.actual.contains("left behind"), "{}", failure.actual);
    assert_eq!(BENCH.judge_twice("reads_the_nonce").verdict, Verdict::Pass);
}

#[test]
fn nonce_is_gone_when_student_code_runs() {
    let run = BENCH.judge("reads_the_nonce", "", LONG);
    assert_eq!(run.verdict, Verdict::Pass, "{:?}", run.failure);
}

#[test]
fn signals_never_make_a_pass() {
    for signal in SIGNALS {
        for sample in ["kills_itself", "kills_its_group"] {
            let run = BENCH.judge(sample, signal, LONG);
            let (seen, sample) = (seen(&run), format!("{sample} by {signal}"));
            let died = seen.starts_with("the process died of signal ")
                || seen.starts_with("it used more than"); // XCPU
            assert!(died || seen == HONEST, "{sample}: {seen}");
            // Rust ignores PIPE, and every process CHLD. A shell may ignore the first three; the
            // handler that looks for stack overflows returns once from the last two.
            if !["HUP", "INT", "QUIT", "SEGV", "BUS"].contains(&signal) {
                assert_eq!(seen == HONEST, ["PIPE", "CHLD"].contains(&signal), "{sample}: {seen}");
            }
        }
        let run = BENCH.judge("kills_its_parent", signal, LONG);
        let killed = "the process that watches the test was killed by the run";
        assert!([killed, HONEST].contains(&seen(&run)), "{signal}: {}", seen(&run));
    }
    for sample in ["kills_itself", "kills_its_group"] {
        let run = BENCH.judge(sample, "STOP", SHORT);
        assert_eq!(seen(&run), "it did not end within 2 s and was stopped", "{sample}");
    }
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "only Linux ends what has left its group")]
fn what_a_run_leaves_behind_ends_with_it_and_is_a_failure() {
    for (sample, sleeper) in [("leaves_a_daemon", "1213"), ("leaves_a_child", "1217")] {
        let run = BENCH.judge(sample, "", LONG);
        assert_eq!(seen(&run), "it passed, but left a process running", "{sample}");
        assert!(!is_sleeping(sleeper), "{sample}");
    }
    let begin = Instant::now();
    let run = BENCH.judge("kills_its_parent", "KILL", LONG);
    assert_eq!(seen(&run), "the process that watches the test was killed by the run");
    assert!(begin.elapsed() < LONG);
}

/// Whether a `sleep` of this many seconds is running.
fn is_sleeping(seconds: &str) -> bool {
    let expected = format!("sleep\0{seconds}\0");
    let lines = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut lines = lines.filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok());
    lines.any(|line| line == expected)
}
