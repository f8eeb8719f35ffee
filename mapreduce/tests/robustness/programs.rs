//! What the programs offer beyond the paper.

use std::fs;
use std::net::TcpStream;
use std::time::Duration;

use labrpc::Instant;
use testkit::process_test;

use crate::SEQUENTIAL;
use crate::job::{Job, TEST_WORKER, WORKER};
use crate::oracle;

/// The sequential program computes the same.
#[test]
fn sequential() {
    process_test("sequential", |sim| {
        let job = Job::new(sim);
        let files: Vec<String> = job.books().into_iter().map(|(name, _)| name).collect();
        for (app, expected) in
            [("wc", oracle::word_count(&job.books())), ("indexer", oracle::index(&job.books()))]
        {
            let mut args = vec!["--replace", app];
            args.extend(files.iter().map(String::as_str));
            job.start(SEQUENTIAL, &args).succeed();
            job.check_output(&expected);
            assert_eq!(job.output_names(), ["mr-out-0"]);
        }
    });
}

/// Workers have several slots, and talk over TCP; doing without the combiner changes nothing. There
/// is a map task for each split.
#[test]
fn slots_and_tcp() {
    process_test("slots_and_tcp", |sim| {
        let job = Job::new(sim);
        let port = free_port();
        let address = format!("127.0.0.1:{port}");
        for app in ["wc", "indexer"] {
            let args = [
                "--replace",
                "--split-size",
                "100K",
                "--reduces",
                "3",
                "--listen",
                &address,
                "../pg-*.txt",
            ];
            let mut coordinator =
                job.coordinator_at(&args, || TcpStream::connect(&address).is_ok());
            let worker = ["--connect", &address, "--slots", "3", "--no-combiner", app];
            let mut worker = job.start(WORKER, &worker);
            coordinator.succeed();
            worker.succeed();
            let maps = job.names().iter().filter(|name| name.ends_with("-0")).count() - 1;
            assert!(maps > 30, "{maps} map tasks for 3.3 MB in pieces of 100 KB");
            job.check_output(&oracle::output_of(app, &job.books()));
        }
    });
}

/// The sequential program, too, writes pairs to files when memory is full, and leaves none behind.
#[test]
fn sequential_with_more_pairs_than_memory() {
    process_test("sequential_with_more_pairs_than_memory", |sim| {
        let job = Job::without_books(sim);
        let lines = job.write_lines(700_000);
        job.start(SEQUENTIAL, &["grep", "file", "../large.txt"]).succeed();
        assert!(job.output() == lines, "the output is wrong");
        assert_eq!(job.names(), ["mr-out-0"], "files are left behind");
    });
}

/// A job leaves no file but its outputs and intermediate files, even if workers were killed.
#[test]
fn killed_workers_leave_no_files() {
    process_test("killed_workers_leave_no_files", |sim| {
        let job = Job::without_books(sim);
        fs::write(job.path("../input"), "one two").expect("the directory is ours");
        let mut coordinator =
            job.coordinator_with(&["--reduces", "2", "--task-timeout", "1", "../input"]);
        let mut victim = job.test_worker("gate");
        crate::job::wait_until("the worker is in map", || {
            job.path("mr-worker-at-map-input").exists()
        });
        let lock = fs::read_to_string(job.path("mr.lock")).expect("the directory is locked");
        let id = lock.trim_start_matches("MapReduce job ").trim();
        fs::write(job.path(&format!("mr-tmp-{id}-dead")), "").expect("the directory is ours");
        victim.kill();
        fs::write(job.path("mr-worker-open-map-input"), "").expect("the directory is ours");
        fs::write(job.path("mr-worker-open-reduce-input"), "").expect("the directory is ours");
        let mut worker = job.test_worker("gate");
        coordinator.succeed();
        worker.succeed();
        let names: Vec<String> =
            job.names().into_iter().filter(|name| !name.starts_with("mr-worker-")).collect();
        assert_eq!(names, ["mr-0-0", "mr-0-1", "mr-out-0", "mr-out-1"]);
    });
}

/// A worker without a coordinator says so.
#[test]
fn worker_without_coordinator_says_so() {
    process_test("worker_without_coordinator_says_so", |sim| {
        let job = Job::without_books(sim);
        let began = Instant::now();
        let said = job.start(TEST_WORKER, &["wc"]).fail_with(1);
        assert!(said.contains("there is no coordinator"), "{said}");
        assert!(began.elapsed() < Duration::from_secs(6), "it stayed for {:?}", began.elapsed());
    });
}

/// A port that is free at the moment.
fn free_port() -> u16 {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    socket.local_addr().expect("it is bound").port()
}
