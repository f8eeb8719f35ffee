use std::fs;
use std::time::Duration;

use testkit::{Process, Sim, poll, process_test};

use crate::job::{Job, wait_for};
use crate::oracle;

/// How long a worker of the first job may take to report to the second one. One that works for the
/// second job afterwards does not end before that.
const TIME_TO_REPORT: Duration = Duration::from_secs(2);

/// A coordinator that is killed leaves only whole outputs, and the job can be run again (MapReduce
/// §3.3, "Master Failure").
#[test]
fn killed_coordinator_does_no_harm_1() {
    process_test("killed_coordinator_does_no_harm_1", |sim| {
        let job = Job::new(sim);
        let mut coordinator = job.coordinator();
        let mut straggler = job.test_worker("rtiming");
        let is_there = || !job.output_names().is_empty();
        wait_for("some output is there", &mut [&mut coordinator, &mut straggler], is_there);
        coordinator.kill();
        for name in job.output_names() {
            let text = fs::read_to_string(job.path(&name)).expect("it was there just now");
            assert!(text.is_empty() || text.ends_with('\n'), "{name} is not whole: {text:?}");
        }
        straggler.wait();
        let mut coordinator = job.coordinator_with(&["--replace", "../pg-*.txt"]);
        let mut worker = job.worker("wc");
        coordinator.succeed();
        worker.wait();
        job.check_output(&oracle::word_count(&job.books()));
    });
}

/// The result of a map task of an earlier job is not taken for one of the next job.
#[test]
fn map_results_of_an_earlier_job_are_ignored_1() {
    process_test("map_results_of_an_earlier_job_are_ignored_1", |sim| report_late(sim, "map"));
}

/// The same for reduce tasks.
#[test]
fn reduce_results_of_an_earlier_job_are_ignored_1() {
    process_test("reduce_results_of_an_earlier_job_are_ignored_1", |sim| {
        report_late(sim, "reduce")
    });
}

/// The worker of a job whose coordinator was killed reports the result of a task in `phase` to the
/// coordinator of another job. That has given the task of the same number to a worker of its own,
/// which is not done yet. Both jobs run the same app, on one file each.
fn report_late(sim: &Sim, phase: &str) {
    let job = Job::without_books(sim);
    for name in ["first", "second"] {
        fs::write(job.path(&format!("../{name}")), name).expect("the directory is ours");
    }
    let mut coordinator = job.coordinator_with(&["--reduces", "1", "../first"]);
    let mut straggler = job.test_worker("gate");
    bring_to(&job, phase, "first", &mut [&mut coordinator, &mut straggler]);
    coordinator.kill();

    // Not by --replace: the file that the first job's worker is writing must stay.
    for name in ["mr-0-0", "mr-out-0"] {
        fs::remove_file(job.path(name)).ok(); // Whether it is there depends on the phase.
    }
    let mut coordinator = job.coordinator_with(&["--reduces", "1", "../second"]);
    let mut worker = job.test_worker("gate");
    bring_to(&job, phase, "second", &mut [&mut coordinator, &mut worker]);
    job.open_gate(phase, "first");
    wait_for_report(&mut straggler);
    job.open_gate(phase, "second");
    job.open_gate("reduce", "second");
    job.open_gate("reduce", "first"); // In case the first job's result was taken.
    coordinator.succeed();
    assert_eq!(job.output(), ["../second 1"], "a result of the first job was taken");
    worker.wait();
    straggler.wait();
}

/// Lets the coordinator and worker of a job run until the worker is in `phase` with this file.
fn bring_to(job: &Job, phase: &str, file: &str, processes: &mut [&mut Process]) {
    if phase == "reduce" {
        job.open_gate("map", file);
    }
    wait_for("the worker is at the gate", processes, || job.is_at_gate(phase, file));
}

/// Waits until the worker has reported and has left, or has had the time to report.
fn wait_for_report(worker: &mut Process) {
    poll(TIME_TO_REPORT, Duration::from_millis(10), || worker.ended());
}
