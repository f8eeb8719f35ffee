//! What the programs print can be printed, and harms no terminal.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use testkit::process_test;

use crate::job::{COORDINATOR, Job, TEST_WORKER, WORKER};
use crate::{SEQUENTIAL, ShortPath};

/// Programs whose standard error cannot be written end with the code that they mean.
#[test]
fn full_disk_behind_standard_error() {
    process_test("full_disk_behind_standard_error", |sim| {
        let job = Job::new(sim);
        for (program, args, code) in [
            (COORDINATOR, &["none"][..], 5),
            (COORDINATOR, &["--no-such-flag"], 5),
            (WORKER, &["wc", "extra"], 5),
            (WORKER, &["wc"], 1),
            (SEQUENTIAL, &["wc", "none"], 5),
        ] {
            let script = "exec \"$0\" \"$@\" 2>/dev/full";
            let args: Vec<&str> = ["-c", script, program].iter().chain(args).copied().collect();
            job.start("sh", &args).fail_with(code);
        }
    });
}

/// A failed job whose coordinator and workers cannot print still ends as it should.
#[test]
fn full_disk_behind_the_standard_error_of_a_job() {
    process_test("full_disk_behind_the_standard_error_of_a_job", |sim| {
        let job = Job::new(sim);
        let script = "exec \"$0\" \"$@\" 2>/dev/full";
        let start = |program: &str, args: &[&str]| {
            let args: Vec<&str> = ["-c", script, program].iter().chain(args).copied().collect();
            job.start("sh", &args)
        };
        let coordinator = start(COORDINATOR, &["../pg-*.txt"]);
        crate::job::wait_until("the coordinator listens", || job.path("mr.sock").exists());
        let workers = [(); 3].map(|()| start(TEST_WORKER, &["panic"]));
        coordinator.fail_with(1);
        workers.into_iter().for_each(|worker| _ = worker.fail_with(1));
    });
}

/// What a worker reports is escaped and cut before the coordinator prints it.
#[test]
fn causes_are_escaped_and_cut() {
    process_test("causes_are_escaped_and_cut", |sim| {
        let job = Job::new(sim);
        let coordinator = job.coordinator();
        let message = format!("\x1b[2J\nmap 9 failed{}", " and failed".repeat(6000));
        let workers = [(); 3].map(|()| job.start(TEST_WORKER, &["panic_with", &message]));
        let said = coordinator.fail_with(1);
        assert!(!said.contains('\x1b') && said.contains("\\u{1b}[2J\\nmap 9 failed"), "{said}");
        assert!(said.lines().all(|line| line.len() < 1000), "{said}");
        workers.into_iter().for_each(|worker| _ = worker.fail_with(1));
    });
}

/// Of lines that differ in names and numbers only, the first is printed, and now and then a count.
#[test]
fn repeated_lines_do_not_fill_the_log() {
    process_test("repeated_lines_do_not_fill_the_log", |sim| {
        let job = Job::new(sim);
        let mut coordinator = job.coordinator();
        let path = ShortPath::to(&job);
        for _ in 0..40 {
            let mut stream = UnixStream::connect(path.socket()).expect("it listens");
            stream.write_all(&[0xff; 64]).ok(); // No message begins with these bytes.
            stream.read_to_end(&mut Vec::new()).ok(); // The coordinator closes the connection.
        }
        let mut worker = job.worker("wc");
        coordinator.succeed();
        worker.succeed();
        let said = coordinator.errors();
        assert!(said.contains("bytes of another protocol"), "{said}");
        assert!(said.lines().count() < 10, "{said}");
    });
}
