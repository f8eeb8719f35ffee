//! Jobs run with few file descriptors.

use std::fs;
use std::os::unix::net::UnixStream;

use testkit::{Process, process_test};

use crate::job::{COORDINATOR, Job, WORKER, wait_until};
use crate::oracle;
use crate::{SEQUENTIAL, ShortPath};

/// Starts a program that may have this number of files open.
fn start_with_limit(job: &Job, limit: u32, program: &str, args: &[&str]) -> Process {
    let script = format!("ulimit -n {limit}; exec \"$0\" \"$@\"");
    let args: Vec<&str> = ["-c", &script, program].iter().chain(args).copied().collect();
    job.start("sh", &args)
}

/// More splits, and more reduce tasks, than a worker can have files open.
#[test]
fn many_tasks_and_few_descriptors() {
    process_test("many_tasks_and_few_descriptors", |sim| {
        for (slots, limit) in [("1", 32), ("4", 64)] {
            let job = Job::new(sim);
            let args = ["--split-size", "20K", "--reduces", "150", "../pg-*.txt"];
            let mut coordinator = job.coordinator_with(&args);
            let args = ["--slots", slots, "wc"];
            let mut worker = start_with_limit(&job, limit, WORKER, &args);
            coordinator.succeed();
            worker.succeed();
            job.check_output(&oracle::word_count(&job.books()));
        }
    });
}

/// Many runs in the sequential program.
#[test]
fn sequential_with_few_descriptors() {
    process_test("sequential_with_few_descriptors", |sim| {
        let job = Job::without_books(sim);
        let lines = job.write_lines(2_000_000);
        let args = ["grep", "file", "../large.txt"];
        start_with_limit(&job, 12, SEQUENTIAL, &args).succeed();
        assert!(job.output() == lines, "the output is wrong");
    });
}

/// Connections never take the descriptors that the coordinator needs to end the job.
#[test]
fn coordinator_with_few_descriptors() {
    process_test("coordinator_with_few_descriptors", |sim| {
        let job = Job::without_books(sim);
        fs::write(job.path("../input"), "one two").expect("the directory is ours");
        let mut coordinator = start_with_limit(&job, 24, COORDINATOR, &["../input"]);
        wait_until("the coordinator listens", || job.path("mr.sock").exists());
        let mut worker = job.test_worker("gate");
        wait_until("the worker is in map", || job.path("mr-worker-at-map-input").exists());
        let path = ShortPath::to(&job);
        let idle: Vec<_> = (0..40).map(|_| UnixStream::connect(path.socket())).collect();
        for phase in ["map", "reduce"] {
            let gate = job.path(&format!("mr-worker-open-{phase}-input"));
            fs::write(gate, "").expect("the directory is ours");
        }
        coordinator.succeed();
        drop(idle);
        worker.succeed();
        assert!(coordinator.errors().lines().count() < 10, "{}", coordinator.errors());
    });
}

/// More slots than descriptors are refused.
#[test]
fn slots_without_descriptors() {
    process_test("slots_without_descriptors", |sim| {
        let job = Job::without_books(sim);
        let said = start_with_limit(&job, 64, WORKER, &["--slots", "64", "wc"]).fail_with(5);
        assert!(said.contains("--slots 64 needs 272 open files, but the limit is 64"), "{said}");
    });
}
