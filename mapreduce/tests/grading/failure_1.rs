use std::fs;
use std::process::Command;

use testkit::{Process, process_test};

use crate::job::{Job, TEST_WORKER};

/// A task that fails in the same way everywhere is given up, with the cause, instead of being tried
/// for ever.
#[test]
fn panic_is_reported_1() {
    process_test("panic_is_reported_1", |_sim| {
        let job = Job::new();
        let coordinator = job.coordinator();
        let workers = [(); 3].map(|()| job.test_worker("panic"));
        let said = coordinator.fail_with(1);
        assert!(said.contains("map 3 failed"), "{said}");
        assert!(said.contains("../pg-grimm.txt is too frightening"), "{said}");
        for worker in workers {
            let said = worker.fail_with(1);
            assert!(said.contains("given up"), "{said}");
        }
        assert_eq!(job.output_names().len(), 0, "a failed job has no outputs");
    });
}

/// One worker alone is enough to find out.
#[test]
fn panic_of_a_lone_worker_is_reported_1() {
    process_test("panic_of_a_lone_worker_is_reported_1", |_sim| {
        let job = Job::new();
        let coordinator = job.coordinator();
        let worker = job.start(TEST_WORKER, &["--slots", "2", "panic"]);
        let said = coordinator.fail_with(1);
        assert!(said.contains("too frightening"), "{said}");
        worker.fail_with(1);
    });
}

/// A worker in another directory is told why its work is of no use.
#[test]
fn worker_elsewhere_is_explained_1() {
    process_test("worker_elsewhere_is_explained_1", |_sim| {
        let job = Job::new();
        fs::create_dir(job.path("elsewhere")).expect("the directory is ours");
        let book = job.path("../pg-grimm.txt");
        let coordinator = job.coordinator_with(&[book.to_str().expect("it is UTF-8")]);
        let mut worker = Command::new(crate::job::WORKER);
        worker.args(["--socket", "../mr.sock", "wc"]).current_dir(job.path("elsewhere"));
        Process::start(&mut worker).fail_with(1);
        let said = coordinator.fail_with(1);
        assert!(said.contains("run in the coordinator's directory"), "{said}");
        assert_eq!(fs::read_dir(job.path("elsewhere")).expect("it is there").count(), 0);
    });
}
