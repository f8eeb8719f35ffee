use std::fs;
use std::net::TcpStream;

use testkit::process_test;

use crate::job::{Job, SEQUENTIAL, WORKER};
use crate::oracle;

/// Large files become several map tasks, which changes nothing about the result; nor do TCP,
/// several slots, and doing without the combiner.
#[test]
fn split_files_1() {
    process_test("split_files_1", |_sim| {
        let job = Job::new();
        let port = free_port();
        let address = format!("127.0.0.1:{port}");
        for app in ["wc", "indexer"] {
            let args =
                ["--split-size", "100K", "--reduces", "3", "--listen", &address, "../pg-*.txt"];
            let mut coordinator =
                job.coordinator_at(&args, || TcpStream::connect(&address).is_ok());
            let worker = ["--connect", &address, "--slots", "3", "--no-combiner", app];
            let mut worker = job.start(WORKER, &worker);
            coordinator.succeed();
            worker.succeed();
            let maps = job.names().iter().filter(|name| name.ends_with("-0")).count() - 1;
            assert!(maps > 30, "{maps} map tasks for 3.3 MB in pieces of 100 KB");
            let books = job.books();
            let is_wc = app == "wc";
            job.check_output(&if is_wc {
                oracle::word_count(&books)
            } else {
                oracle::index(&books)
            });
        }
    });
}

/// More pairs than fit into memory are written to files on the way.
#[test]
fn more_pairs_than_memory_1() {
    process_test("more_pairs_than_memory_1", |_sim| {
        let job = Job::without_books();
        let line =
            |i: u32| format!("line number {i} of a file that is larger than the memory for pairs");
        let text: String = (0..700_000_u32).map(|i| line(i) + "\n").collect();
        fs::write(job.path("../large.txt"), &text).expect("the directory is ours");
        let mut coordinator =
            job.coordinator_with(&["--split-size", "1G", "--reduces", "2", "../large.txt"]);
        let mut worker = job.start(WORKER, &["grep", "file"]);
        coordinator.succeed();
        worker.succeed();
        let distributed = job.output();
        assert_eq!(distributed.len(), 700_000);
        job.names().iter().for_each(|name| fs::remove_file(job.path(name)).expect("it is ours"));
        job.start(SEQUENTIAL, &["grep", "file", "../large.txt"]).succeed();
        assert!(job.output() == distributed, "the sequential program differs");
        assert_eq!(job.names(), ["mr-out-0"], "files are left behind");
        assert_eq!(distributed[0], format!("{} ../large.txt", line(0)));
    });
}

/// Files without a word, without a line end, and with foreign bytes.
#[test]
fn strange_files_1() {
    process_test("strange_files_1", |_sim| {
        let job = Job::without_books();
        fs::write(job.path("../pg-empty.txt"), "").expect("the directory is ours");
        fs::write(job.path("../pg-foreign.txt"), b"one\xffone two\xc3")
            .expect("the directory is ours");
        let mut coordinator = job.coordinator();
        let mut worker = job.worker("wc");
        coordinator.succeed();
        worker.succeed();
        assert_eq!(job.output(), ["one 2", "two 1"]);
    });
}

/// A port that is free just now.
fn free_port() -> u16 {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    socket.local_addr().expect("it is bound").port()
}
