use std::fs;

use testkit::process_test;

use crate::job::{Job, wait_until};
use crate::oracle;

/// An interrupted job leaves nothing, and running it again starts afresh.
#[test]
fn interrupt_leaves_nothing_1() {
    process_test("interrupt_leaves_nothing_1", |_sim| {
        let job = Job::new();
        let coordinator = job.coordinator();
        let workers = [job.test_worker("rtiming"), job.test_worker("rtiming")];
        wait_until("some output is there", || !job.output_names().is_empty());
        coordinator.interrupt();
        let said = coordinator.fail_with(1);
        assert!(said.contains("interrupted"), "{said}");
        for worker in workers {
            let said = worker.fail_with(1);
            assert!(said.contains("went away"), "{said}");
        }
        let left: Vec<_> =
            job.names().into_iter().filter(|name| !name.contains("-worker-")).collect();
        assert_eq!(left, [""; 0], "files are left behind");
        run_wc(&job);
    });
}

/// A coordinator that is killed leaves whole outputs at most. The next job starts afresh, even if a
/// worker of the first one is still there.
#[test]
fn killed_coordinator_does_no_harm_1() {
    process_test("killed_coordinator_does_no_harm_1", |_sim| {
        let job = Job::new();
        let mut coordinator = job.coordinator();
        let mut straggler = job.test_worker("rtiming");
        wait_until("some output is there", || !job.output_names().is_empty());
        coordinator.kill();
        for name in job.output_names() {
            let text = fs::read_to_string(job.path(&name)).expect("it was there just now");
            assert!(text.is_empty() || text.ends_with('\n'), "{name} is not whole: {text:?}");
        }
        straggler.wait();
        run_wc(&job);
    });
}

/// Results of an earlier job are not accepted by the next one, and cannot replace its files. The
/// second job is in its reduce phase when the slow reduce tasks of the first one report to it.
#[test]
fn workers_of_an_earlier_job_are_ignored_1() {
    process_test("workers_of_an_earlier_job_are_ignored_1", |_sim| {
        let job = Job::new();
        let mut coordinator = job.coordinator();
        let mut stragglers = [job.test_worker("early_exit"), job.test_worker("early_exit")];
        // Reduces 2 and 6 are slow, so now they are with the two workers.
        wait_until("reduces 0, 1, 3, 4 and 5 are done", || job.output_names().len() >= 5);
        coordinator.kill();
        let mut coordinator = job.coordinator();
        let mut workers = [(); 3].map(|()| job.test_worker("rtiming"));
        coordinator.succeed();
        let output = job.output();
        // Each line is a letter and the number of workers that were in reduce, of which there are
        // three.
        let is_own = |line: &String| line.len() == 3 && matches!(&line[1..], " 1" | " 2" | " 3");
        assert!(output.len() == 10 && output.iter().all(is_own), "another job meddled: {output:?}");
        for process in workers.iter_mut().chain(&mut stragglers) {
            process.wait(); // Whether it heard of the end does not matter here.
        }
    });
}

/// The outputs of a job with more reduce tasks do not mix with those of the next one.
#[test]
fn outputs_of_an_earlier_job_are_removed_1() {
    process_test("outputs_of_an_earlier_job_are_removed_1", |_sim| {
        let job = Job::new();
        fs::write(job.path("mr-out-12"), "stale 1\n").expect("the directory is ours");
        fs::write(job.path("mr-notes.txt"), "keep").expect("the directory is ours");
        let mut coordinator = job.coordinator_with(&["--reduces", "3", "../pg-*.txt"]);
        job.worker("wc").succeed();
        coordinator.succeed();
        assert_eq!(job.output_names(), ["mr-out-0", "mr-out-1", "mr-out-2"]);
        job.check_output(&oracle::word_count(&job.books()));
        assert!(job.path("mr-notes.txt").exists(), "files that are not of a job are the user's");
    });
}

/// Runs a job to its end and checks it.
fn run_wc(job: &Job) {
    let mut coordinator = job.coordinator();
    let mut worker = job.worker("wc");
    coordinator.succeed();
    worker.wait();
    job.check_output(&oracle::word_count(&job.books()));
}
