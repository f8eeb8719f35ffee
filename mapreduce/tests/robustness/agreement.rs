//! A job is one job: its workers run the same app, in the same version and directory.

use std::fs;
use std::process::Command;

use labrpc::socket::{self, Address, Options};
use labrpc::{Server, Service};
use serde::{Deserialize, Serialize};
use testkit::{Process, process_test};

use crate::ShortPath;
use crate::job::{Job, TEST_WORKER, WORKER, wait_until};
use crate::oracle;

/// A worker whose app or whose app's arguments differ from those of the first one is told so and
/// leaves; the job goes on.
#[test]
fn one_app_per_job() {
    process_test("one_app_per_job", |sim| {
        let job = Job::without_books(sim);
        fs::write(job.path("../input"), "one two").expect("the directory is ours");
        let mut coordinator = job.coordinator_with(&["../input"]);
        let mut first = job.start(TEST_WORKER, &["gate_of", "a"]);
        wait_until("the first worker is in map", || job.path("mr-worker-at-map-input").exists());
        for other in [&["wc"][..], &["gate"], &["gate_of", "b"]] {
            let said = job.start(TEST_WORKER, other).fail_with(5);
            assert!(said.contains("the workers of this job run the app 'gate_of a'"), "{said}");
        }
        let mut second = job.start(TEST_WORKER, &["gate_of", "a"]);
        for phase in ["map", "reduce"] {
            let gate = job.path(&format!("mr-worker-open-{phase}-input"));
            fs::write(gate, "").expect("the directory is ours");
        }
        coordinator.succeed();
        first.succeed();
        second.succeed();
        assert_eq!(job.output(), ["../input 1"]);
        let said = coordinator.errors();
        assert!(said.contains("runs the app 'wc' and is sent away"), "{said}");
    });
}

/// A worker in another directory is told so, and does no harm to the job.
#[test]
fn one_directory_per_job() {
    process_test("one_directory_per_job", |sim| {
        let job = Job::new(sim);
        fs::create_dir(job.path("elsewhere")).expect("the directory is ours");
        let mut coordinator = job.coordinator();
        let mut stray = Command::new(WORKER);
        stray.args(["--socket", "../mr.sock", "indexer"]).current_dir(job.path("elsewhere"));
        let said = Process::start(&mut stray).fail_with(5);
        assert!(said.contains("the coordinator runs in another directory"), "{said}");
        assert_eq!(fs::read_dir(job.path("elsewhere")).expect("it is there").count(), 0);
        let mut worker = job.worker("wc");
        coordinator.succeed();
        worker.succeed();
        job.check_output(&oracle::word_count(&job.books()));
    });
}

/// What a worker of another version asks.
#[derive(Serialize)]
struct Ask {
    version: String,
    worker: (u32, u32),
    app: Vec<String>,
    job: Option<u64>,
}

/// What it may be told, in the order of the variants.
#[derive(Debug, PartialEq, Deserialize)]
enum Assignment {
    Join(u64, u32),
    Run,
    Wait,
    Done,
    GivenUp,
    Cancelled,
    OtherJob,
    OtherVersion(String),
    OtherApp(Vec<String>),
}

/// A worker of another version is told so.
#[test]
fn one_version_per_job() {
    process_test("one_version_per_job", |sim| {
        let job = Job::new(sim);
        let mut coordinator = job.coordinator();
        let path = ShortPath::to(&job);
        let end = socket::connect(&Address::Unix(path.socket()), Options::default());
        let ask = |version: &str| Ask {
            version: version.to_string(),
            worker: (1, 0),
            app: vec!["wc".to_string()],
            job: None,
        };
        let own = env!("CARGO_PKG_VERSION");
        let told: Assignment = end.call("Coordinator.Ask", &ask("0.0.1\x1b[2J")).expect("it is up");
        assert_eq!(told, Assignment::OtherVersion(own.to_string()));
        let told: Assignment = end.call("Coordinator.Ask", &ask(own)).expect("it is up");
        assert!(matches!(told, Assignment::Join(_, 10)), "{told:?}");
        let mut worker = job.worker("wc");
        coordinator.succeed();
        worker.succeed();
        let said = coordinator.errors();
        assert!(said.contains("has version 0.0.1\\u{1b}[2J and is sent away"), "{said}");
    });
}

/// A server that does not understand a worker is left at once.
#[test]
fn other_servers_are_left() {
    process_test("other_servers_are_left", |sim| {
        let job = Job::without_books(sim);
        let path = ShortPath::to(&job);
        let address = Address::Unix(path.socket());
        let older = Service::new("Coordinator").method("Ask", |(): ()| ());
        for service in [Service::new("Echo").method("Twice", |n: u32| 2 * n), older] {
            let listener = socket::listen(&address, Server::new().with(service));
            let listener = listener.expect("the directory is ours");
            let said = job.worker("wc").fail_with(5);
            assert!(said.contains("the server does not understand this worker"), "{said}");
            listener.shutdown();
        }
    });
}
