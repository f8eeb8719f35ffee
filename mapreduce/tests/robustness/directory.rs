//! One job at a time runs in a directory, and removes only what it has made.

use std::fs;
use std::os::unix::fs::symlink;

use testkit::process_test;

use crate::SEQUENTIAL;
use crate::job::{COORDINATOR, Job, WORKER, wait_until};
use crate::oracle;

/// A second job in the directory of a running one is refused, whatever its socket.
#[test]
fn one_job_per_directory() {
    process_test("one_job_per_directory", |sim| {
        let job = Job::new(sim);
        let mut first = job.coordinator();
        let link = job.path("../link");
        symlink(job.path(""), &link).expect("the directory is ours");
        for (program, args) in [
            (COORDINATOR, &["../pg-*.txt"][..]),
            (COORDINATOR, &["--socket", "other.sock", "--replace", "../pg-*.txt"]),
            (COORDINATOR, &["--listen", "127.0.0.1:0", "../pg-*.txt"]),
            (SEQUENTIAL, &["--replace", "wc", "../pg-grimm.txt"]),
        ] {
            let said = job.start(program, args).fail_with(5);
            assert!(said.contains("another job runs in this directory"), "{args:?}: {said}");
        }
        let mut elsewhere = std::process::Command::new(COORDINATOR);
        elsewhere.args(["--socket", "b.sock", "../pg-*.txt"]).current_dir(&link);
        let said = testkit::Process::start(&mut elsewhere).fail_with(5);
        assert!(said.contains("another job runs in this directory"), "{said}");
        let mut worker = job.worker("wc");
        first.succeed();
        worker.succeed();
        job.check_output(&oracle::word_count(&job.books()));
        let names: Vec<String> = job.names().into_iter().filter(|n| n.starts_with("mr.")).collect();
        assert_eq!(names, [""; 0], "socket or lock are left behind");
    });
}

/// A job does not begin where files of an earlier one are, and `--replace` removes them. Files that
/// only look alike stay.
#[test]
fn earlier_files_are_replaced_on_demand_only() {
    process_test("earlier_files_are_replaced_on_demand_only", |sim| {
        let job = Job::new(sim);
        let kept =
            ["mr-2024-01", "mr-notes.txt", "mr-out-01", "mr-8-0", "mr-out-x", "mr-tmp-notes"];
        let stale = ["mr-0-2", "mr-out-12", "mr-tmp-0123456789abcdef-xyz"];
        for name in kept.iter().chain(&stale) {
            fs::write(job.path(name), "stale 1\n").expect("the directory is ours");
        }
        let args = ["--reduces", "3", "../pg-*.txt"];
        let said = job.start(COORDINATOR, &args).fail_with(5);
        assert!(said.contains("mr-0-2 is already there, and so is 1 more file"), "{said}");
        let said = job.start(SEQUENTIAL, &["wc", "../pg-grimm.txt"]).fail_with(5);
        assert!(said.contains("mr-out-12 is already there"), "{said}");
        assert_eq!(job.names().len(), kept.len() + stale.len(), "{:?}", job.names());

        let mut coordinator = job.coordinator_with(&["--replace", "--reduces", "3", "../pg-*.txt"]);
        job.worker("wc").succeed();
        coordinator.succeed();
        for name in kept {
            let text = fs::read_to_string(job.path(name)).expect("it was not the job's");
            assert_eq!(text, "stale 1\n", "{name}");
            fs::remove_file(job.path(name)).expect("it is there");
        }
        assert_eq!(job.output_names(), ["mr-out-0", "mr-out-1", "mr-out-2"]);
        job.check_output(&oracle::word_count(&job.books()));
        assert!(!job.path(stale[2]).exists(), "an unfinished file of an earlier job is left");
    });
}

/// A refused job with `--replace` has removed nothing.
#[test]
fn nothing_is_replaced_by_a_refused_job() {
    process_test("nothing_is_replaced_by_a_refused_job", |sim| {
        let job = Job::new(sim);
        fs::write(job.path("mr-out-0"), "old 1\n").expect("the directory is ours");
        fs::create_dir(job.path("mr-out-1")).expect("the directory is ours");
        let said = job.start(COORDINATOR, &["--replace", "../pg-*.txt"]).fail_with(5);
        assert!(said.contains("mr-out-1: a directory"), "{said}");
        fs::remove_dir(job.path("mr-out-1")).expect("it is empty");
        let args = ["--replace", "--socket", "none/x", "../pg-*.txt"];
        job.start(COORDINATOR, &args).fail_with(5);
        let old = fs::read_to_string(job.path("mr-out-0")).expect("nothing was removed");
        assert_eq!(old, "old 1\n");
    });
}

/// A link with the name of an output is replaced, but not the file that it leads to.
#[test]
fn links_are_not_followed() {
    process_test("links_are_not_followed", |sim| {
        let job = Job::new(sim);
        fs::write(job.path("../precious"), "precious").expect("the directory is ours");
        symlink("../precious", job.path("mr-out-0")).expect("the directory is ours");
        symlink("../nothing", job.path("mr-out-1")).expect("the directory is ours");
        job.start(COORDINATOR, &["../pg-*.txt"]).fail_with(5);
        let mut coordinator = job.coordinator_with(&["--replace", "../pg-*.txt"]);
        job.worker("wc").succeed();
        coordinator.succeed();
        let text = fs::read_to_string(job.path("../precious")).expect("it was not the job's");
        assert_eq!(text, "precious");
        assert!(!job.path("../nothing").exists());
        job.check_output(&oracle::word_count(&job.books()));
    });
}

/// A file of the user's that appears under the name of an output while the job runs stays, and the
/// job fails; so does one that has taken the place of an output.
#[test]
fn files_that_appear_later_stay() {
    process_test("files_that_appear_later_stay", |sim| {
        let job = Job::new(sim);
        let coordinator = job.coordinator();
        fs::write(job.path("mr-out-3"), "precious").expect("the directory is ours");
        let mut worker = job.worker("wc");
        wait_until("an output is there", || job.path("mr-out-0").exists());
        fs::write(job.path("new"), "my own").expect("the directory is ours");
        fs::rename(job.path("new"), job.path("mr-out-0")).expect("the directory is ours");
        let said = coordinator.fail_with(1);
        assert!(said.contains("mr-out-3: this file has appeared while the job ran"), "{said}");
        worker.wait();
        let left = ["mr-out-0", "mr-out-3"];
        assert_eq!(job.names(), left, "the files of the failed job are removed");
        let texts = left.map(|name| fs::read_to_string(job.path(name)).expect("it is there"));
        assert_eq!(texts, ["my own", "precious"]);
    });
}

/// The lock of a coordinator that was killed does not keep the next one away.
#[test]
fn the_lock_dies_with_its_process() {
    process_test("the_lock_dies_with_its_process", |sim| {
        let job = Job::new(sim);
        let mut coordinator = job.coordinator();
        coordinator.kill();
        assert!(job.path("mr.lock").exists());
        let mut coordinator = job.coordinator();
        let mut worker = job.worker("wc");
        coordinator.succeed();
        worker.succeed();
        assert!(!job.path("mr.lock").exists());
    });
}

/// An interrupted job leaves nothing, and can be run again.
#[test]
fn interrupt_leaves_nothing() {
    process_test("interrupt_leaves_nothing", |sim| {
        let job = Job::new(sim);
        let coordinator = job.coordinator();
        let workers = [job.test_worker("rtiming"), job.test_worker("rtiming")];
        wait_until("some output is there", || !job.output_names().is_empty());
        coordinator.interrupt();
        let said = coordinator.fail_with(1);
        assert!(said.contains("interrupted"), "{said}");
        for worker in workers {
            let said = worker.fail_with(1);
            assert!(said.contains("interrupted") || said.contains("is missing"), "{said}");
        }
        let left: Vec<_> =
            job.names().into_iter().filter(|name| !name.contains("-worker-")).collect();
        assert_eq!(left, [""; 0], "files are left behind");
        let mut coordinator = job.coordinator();
        let mut worker = job.start(WORKER, &["wc"]);
        coordinator.succeed();
        worker.succeed();
        job.check_output(&oracle::word_count(&job.books()));
    });
}

/// So does the sequential program.
#[test]
fn interrupted_sequential_program_leaves_nothing() {
    process_test("interrupted_sequential_program_leaves_nothing", |sim| {
        let job = Job::without_books(sim);
        job.write_lines(2_000_000);
        let sequential = job.start(SEQUENTIAL, &["grep", "file", "../large.txt"]);
        let is_run = |name: &String| name.contains("tmp");
        wait_until("it has written runs", || job.names().iter().any(is_run));
        sequential.interrupt();
        let said = sequential.fail_with(1);
        assert!(said.contains("interrupted: no output was written"), "{said}");
        assert_eq!(job.names(), [""; 0], "files are left behind");
    });
}
