use std::fs;

use testkit::process_test;

use crate::job::{Job, WORKER};
use crate::oracle;

/// Large files become several map tasks, which does not change the result.
#[test]
fn split_files_1() {
    process_test("split_files_1", |sim| {
        for app in ["wc", "indexer"] {
            let job = Job::new(sim);
            let mut coordinator =
                job.coordinator_with(&["--split-size", "100K", "--reduces", "3", "../pg-*.txt"]);
            let mut workers = [job.worker(app), job.worker(app)];
            coordinator.succeed();
            workers.iter_mut().for_each(|worker| _ = worker.wait());
            job.check_output(&oracle::output_of(app, &job.books()));
        }
    });
}

/// More pairs than fit into memory are written to files on the way.
#[test]
fn more_pairs_than_memory_1() {
    process_test("more_pairs_than_memory_1", |sim| {
        let job = Job::without_books(sim);
        let lines = job.write_lines(700_000);
        let mut coordinator =
            job.coordinator_with(&["--split-size", "1G", "--reduces", "2", "../large.txt"]);
        let mut worker = job.start(WORKER, &["grep", "file"]);
        coordinator.succeed();
        worker.succeed();
        assert!(job.output() == lines, "the output is wrong");
    });
}

/// Files may be empty, lack a line end, and hold bytes that are not UTF-8.
#[test]
fn strange_files_1() {
    process_test("strange_files_1", |sim| {
        let job = Job::without_books(sim);
        fs::write(job.path("../pg-empty.txt"), "").expect("the directory is ours");
        fs::write(job.path("../pg-bytes.txt"), b"one\xffone two\xc3")
            .expect("the directory is ours");
        let mut coordinator = job.coordinator();
        let mut worker = job.worker("wc");
        coordinator.succeed();
        worker.succeed();
        assert_eq!(job.output(), ["one 2", "two 1"]);
    });
}
