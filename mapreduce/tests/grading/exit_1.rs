use std::fs;
use std::time::Duration;

use labrpc::{Instant, sleep};
use testkit::process_test;

use crate::job::{Job, PANICKED, wait_for};
use crate::oracle;

/// A call waits for two seconds for a connection, and for ten for the reply: longer than both.
const LONGER_THAN_A_CALL: Duration = Duration::from_secs(13);

/// No process exits before every output is final.
#[test]
fn early_exit_1() {
    process_test("early_exit_1", |sim| {
        let job = Job::new(sim);
        let mut processes = vec![job.coordinator()];
        processes.extend((0..3).map(|_| job.test_worker("early_exit")));
        while !processes.iter_mut().any(|process| process.ended().is_some()) {
            sleep(Duration::from_millis(10));
        }
        let first = job.output();
        processes.iter_mut().for_each(|process| process.succeed());
        assert!(first == job.output(), "a process exited before the outputs were final: {first:?}");
        let expected = job.books().into_iter().map(|(name, _)| format!("{name} 1"));
        job.check_output(&oracle::sorted(expected));
    });
}

/// A worker has nothing to do for longer than a call may take, and stays all the same.
#[test]
fn idle_worker_stays_1() {
    process_test("idle_worker_stays_1", |sim| {
        let job = Job::without_books(sim);
        fs::write(job.path("../file"), "").expect("the directory is ours");
        let mut coordinator = job.coordinator_with(&["--task-timeout", "60", "../file"]);
        let mut workers = [(); 2].map(|()| job.test_worker("gate"));
        let began = Instant::now();
        while began.elapsed() < LONGER_THAN_A_CALL {
            for worker in &mut workers {
                if let Some(status) = worker.ended() {
                    let actual = format!("a worker ended with {status}: {}", worker.errors());
                    sim.violated("a worker stays until the job is done", actual);
                }
            }
            sleep(Duration::from_millis(20));
        }
        ["map", "reduce"].iter().for_each(|phase| job.open_gate(phase, "file"));
        coordinator.succeed();
        workers.iter_mut().for_each(|worker| worker.succeed());
    });
}

/// The coordinator exits within three seconds of the last output.
#[test]
fn coordinator_leaves_soon_1() {
    process_test("coordinator_leaves_soon_1", |sim| {
        let job = Job::new(sim);
        let mut coordinator = job.coordinator();
        let mut worker = job.worker("wc");
        let are_there = || job.output_names().len() == 10;
        wait_for("all outputs are there", &mut [&mut coordinator, &mut worker], are_there);
        let began = Instant::now();
        coordinator.succeed();
        assert!(began.elapsed() < Duration::from_secs(3), "it stayed for {:?}", began.elapsed());
        worker.succeed();
    });
}

/// A worker without a coordinator exits within a few seconds.
#[test]
fn worker_without_coordinator_leaves_1() {
    process_test("worker_without_coordinator_leaves_1", |sim| {
        let job = Job::new(sim);
        let began = Instant::now();
        let mut worker = job.worker("wc");
        let status = worker.wait();
        assert!(status.code() != Some(PANICKED), "the worker panicked: {}", worker.errors());
        assert!(began.elapsed() < Duration::from_secs(6), "it stayed for {:?}", began.elapsed());
    });
}
