//! A coordinator without workers says so, and a worker without a coordinator says what it knows.

use std::fs;
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

use labrpc::sleep;
use rustix::process::{Pid, Signal, kill_process};
use testkit::{Process, Sim, process_test};

use crate::ShortPath;
use crate::job::{Job, wait_until};

/// Stops a process, or lets it go on.
fn signal(process: &Process, signal: Signal) {
    let pid = i32::try_from(process.id()).ok().and_then(Pid::from_raw).expect("it has a pid");
    kill_process(pid, signal).expect("it runs");
}

/// Opens all gates of a job on `../input`.
fn open_gates(job: &Job) {
    for phase in ["map", "reduce"] {
        let gate = job.path(&format!("mr-worker-open-{phase}-input"));
        fs::write(gate, "").expect("the directory is ours");
    }
}

/// A job on a small file, and its coordinator.
fn small_job(sim: &Sim) -> (Job, Process) {
    let job = Job::without_books(sim);
    fs::write(job.path("../input"), "one two").expect("the directory is ours");
    let coordinator = job.coordinator_with(&["--reduces", "1", "--task-timeout", "3", "../input"]);
    (job, coordinator)
}

/// A coordinator that was stopped for so long that its workers have left says what it waits for.
#[test]
fn stopped_coordinator_says_what_it_waits_for() {
    process_test("stopped_coordinator_says_what_it_waits_for", |sim| {
        let (job, mut coordinator) = small_job(sim);
        let worker = job.test_worker("gate");
        wait_until("the worker is in map", || job.path("mr-worker-at-map-input").exists());
        signal(&coordinator, Signal::STOP);
        open_gates(&job);
        let said = worker.fail_with(1);
        assert!(said.contains("the coordinator does not answer"), "{said}");
        signal(&coordinator, Signal::CONT);
        wait_until("the coordinator says what it waits for", || {
            coordinator.errors().contains("start 'mrworker gate' in this directory")
        });
        sleep(Duration::from_secs(2));
        let said = coordinator.errors();
        assert_eq!(said.matches("no worker has called").count(), 1, "{said}");
        let mut worker = job.test_worker("gate");
        coordinator.succeed();
        worker.succeed();
        assert_eq!(job.output(), ["../input 1"]);
    });
}

/// A worker that finds a stopped coordinator does not say that there is none.
#[test]
fn worker_finds_a_stopped_coordinator() {
    process_test("worker_finds_a_stopped_coordinator", |sim| {
        let (job, coordinator) = small_job(sim);
        let path = ShortPath::to(&job);
        // The file of a socket is there just before connections are accepted.
        wait_until("the coordinator accepts", || UnixStream::connect(path.socket()).is_ok());
        signal(&coordinator, Signal::STOP);
        let said = job.worker("wc").fail_with(1);
        assert!(said.contains("the coordinator does not answer"), "{said}");
        signal(&coordinator, Signal::CONT);
        coordinator.interrupt();
        coordinator.fail_with(1);
    });
}

/// Nor does a worker whose connections are closed.
#[test]
fn worker_is_not_served() {
    process_test("worker_is_not_served", |sim| {
        let job = Job::without_books(sim);
        let path = ShortPath::to(&job);
        let listener = UnixListener::bind(path.socket()).expect("the directory is ours");
        listener.set_nonblocking(true).expect("sockets can be so");
        let mut worker = job.worker("wc");
        wait_until("the worker leaves", || {
            drop(listener.accept()); // The connection, if there is one, is closed.
            worker.ended().is_some()
        });
        let said = worker.fail_with(1);
        assert!(said.contains("it may have too many workers"), "{said}");
    });
}

/// A coordinator that no worker has ever called says so, too.
#[test]
fn coordinator_without_workers_says_so() {
    process_test("coordinator_without_workers_says_so", |sim| {
        let (_job, coordinator) = small_job(sim);
        wait_until("the coordinator says what it waits for", || {
            let said = coordinator.errors();
            said.contains("2 tasks are left and no worker has called for 5 s")
                && said.contains("start 'mrworker APP'")
        });
        coordinator.interrupt();
        coordinator.fail_with(1);
    });
}

/// A coordinator whose worker is busy for long says nothing.
#[test]
fn busy_workers_are_not_missing() {
    process_test("busy_workers_are_not_missing", |sim| {
        let job = Job::without_books(sim);
        fs::write(job.path("../input"), "one two").expect("the directory is ours");
        let mut coordinator = job.coordinator_with(&["--task-timeout", "60", "../input"]);
        let mut worker = job.test_worker("gate");
        sleep(Duration::from_secs(8));
        open_gates(&job);
        coordinator.succeed();
        worker.succeed();
        assert_eq!(coordinator.errors(), "");
    });
}

/// A worker that slept while the others finished the job knows that it is done, busy or idle.
#[test]
fn sleeping_worker_learns_that_the_job_is_done() {
    process_test("sleeping_worker_learns_that_the_job_is_done", |sim| {
        let (job, mut coordinator) = small_job(sim);
        let mut sleepers = [job.test_worker("gate"), job.test_worker("gate")];
        wait_until("a worker is in map", || job.path("mr-worker-at-map-input").exists());
        sleep(Duration::from_millis(200)); // The other one has joined, and waits.
        sleepers.iter().for_each(|sleeper| signal(sleeper, Signal::STOP));
        open_gates(&job);
        let mut worker = job.test_worker("gate");
        coordinator.succeed();
        worker.succeed();
        for sleeper in &mut sleepers {
            signal(sleeper, Signal::CONT);
            sleeper.succeed();
            assert_eq!(sleeper.errors(), "");
        }
        assert_eq!(job.output(), ["../input 1"]);
    });
}

/// A worker that slept while the job was interrupted does not say that it is done.
#[test]
fn sleeping_worker_learns_that_the_job_is_gone() {
    process_test("sleeping_worker_learns_that_the_job_is_gone", |sim| {
        let (job, coordinator) = small_job(sim);
        let sleeper = job.test_worker("gate");
        wait_until("the worker is in map", || job.path("mr-worker-at-map-input").exists());
        signal(&sleeper, Signal::STOP);
        coordinator.interrupt();
        coordinator.fail_with(1);
        open_gates(&job);
        signal(&sleeper, Signal::CONT);
        let said = sleeper.fail_with(1);
        assert!(said.contains("the coordinator is gone and mr-out-0 is missing"), "{said}");
    });
}
