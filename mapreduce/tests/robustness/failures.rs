//! Jobs that cannot be done end with the cause, and leave nothing.

use std::fs;

use testkit::process_test;

use crate::job::{COORDINATOR, Job, TEST_WORKER};

/// A task that fails in the same way everywhere is given up, with the cause, instead of being tried
/// forever. The job leaves no files.
#[test]
fn panic_is_reported() {
    process_test("panic_is_reported", |sim| {
        let job = Job::new(sim);
        let coordinator = job.coordinator();
        let workers = [(); 3].map(|()| job.test_worker("panic"));
        let said = coordinator.fail_with(1);
        assert!(said.contains("map 3 failed"), "{said}");
        assert!(said.contains("../pg-grimm.txt is too frightening"), "{said}");
        for worker in workers {
            let said = worker.fail_with(1);
            assert!(said.contains("the job has failed"), "{said}");
        }
        assert_eq!(job.names(), [""; 0], "a failed job leaves files");
    });
}

/// One worker alone is enough to find out.
#[test]
fn panic_of_a_lone_worker_is_reported() {
    process_test("panic_of_a_lone_worker_is_reported", |sim| {
        let job = Job::new(sim);
        let coordinator = job.coordinator();
        let worker = job.start(TEST_WORKER, &["--slots", "2", "panic"]);
        let said = coordinator.fail_with(1);
        assert!(said.contains("too frightening"), "{said}");
        worker.fail_with(1);
        assert_eq!(job.names(), [""; 0], "a failed job leaves files");
    });
}

/// Outputs that were in their place when the job failed are removed, as when it is interrupted.
#[test]
fn failed_reduces_leave_nothing() {
    process_test("failed_reduces_leave_nothing", |sim| {
        let job = Job::new(sim);
        let coordinator = job.coordinator();
        let workers = [(); 3].map(|()| job.test_worker("last_reduce_panics"));
        let said = coordinator.fail_with(1);
        assert!(said.contains("the last reduce call fails"), "{said}");
        workers.into_iter().for_each(|worker| _ = worker.fail_with(1));
        assert_eq!(job.names(), [""; 0], "a failed job leaves files");
    });
}

/// Three workers are enough to find out that a file cannot be written, although each has another
/// random name.
#[test]
fn random_names_do_not_tell_failures_apart() {
    process_test("random_names_do_not_tell_failures_apart", |sim| {
        let job = Job::new(sim);
        let coordinator = job.coordinator();
        let mut workers = [(); 3].map(|()| job.test_worker("panic_with_random_name"));
        let said = coordinator.fail_with(1);
        assert!(said.contains("map 3 failed 3 times on 3 workers"), "{said}");
        workers.iter_mut().for_each(|worker| _ = worker.wait());
    });
}

/// A coordinator that cannot be started leaves no files.
#[test]
fn refused_coordinators_leave_nothing() {
    process_test("refused_coordinators_leave_nothing", |sim| {
        let job = Job::without_books(sim);
        job.start(COORDINATOR, &["missing"]).fail_with(5);
        fs::write(job.path("../input"), "one").expect("the directory is ours");
        job.start(COORDINATOR, &["--socket", "no/where", "../input"]).fail_with(5);
        assert_eq!(job.names(), [""; 0]);
    });
}
