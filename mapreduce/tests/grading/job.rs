//! A job on real processes, in a directory of its own.

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use labrpc::{Instant, sleep};
use tempfile::TempDir;
use testkit::{Process, Sim, Team};

use crate::corpus::write_books;
use crate::oracle::{Lines, read_books, sorted};

pub const COORDINATOR: &str = env!("CARGO_BIN_EXE_mrcoordinator");
pub const WORKER: &str = env!("CARGO_BIN_EXE_mrworker");
pub const TEST_WORKER: &str = env!("CARGO_BIN_EXE_mr-test-worker");

/// The exit code of a process whose main task has panicked.
pub const PANICKED: i32 = 101;

/// How long a process may run where workers crash and sleep, as in the course.
pub const LONG_LIMIT: Duration = Duration::from_secs(180);

/// Pause between two looks at a file.
const GLANCE: Duration = Duration::from_millis(20);

/// A directory with the books, and in it the directory in which the job runs.
pub struct Job {
    root: TempDir,
    sim: Sim,
    /// The coordinator that was started last, and the workers since then. Before the first one,
    /// workers are on their own.
    team: RefCell<Team>,
}

impl Job {
    /// A job on the eight books.
    pub fn new(sim: &Sim) -> Self {
        let job = Self::without_books(sim);
        write_books(job.root.path(), 1, 1).expect("the directory is ours");
        job
    }

    /// A job whose inputs the test writes itself.
    pub fn without_books(sim: &Sim) -> Self {
        let root = tempfile::Builder::new().prefix("mapreduce-").tempdir();
        let root = root.expect("temporary directories can be made");
        fs::create_dir(root.path().join("job")).expect("the directory is ours");
        Self { root, sim: sim.clone(), team: RefCell::new(Team::new(sim)) }
    }

    /// A path in the job's directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join("job").join(name)
    }

    /// The books, under the names that the job uses.
    pub fn books(&self) -> Vec<(String, String)> {
        read_books(self.root.path())
    }

    /// Writes this number of different lines into `../large.txt`. Returns what the app `grep file`
    /// makes of them.
    pub fn write_lines(&self, count: u32) -> Lines {
        let line =
            |i: u32| format!("line number {i} of a file that is larger than the memory for pairs");
        let text: String = (0..count).map(|i| line(i) + "\n").collect();
        fs::write(self.path("../large.txt"), &text).expect("the directory is ours");
        sorted((0..count).map(|i| line(i) + " ../large.txt"))
    }

    /// Starts the coordinator on the books.
    pub fn coordinator(&self) -> Process {
        self.coordinator_with(&["../pg-*.txt"])
    }

    /// Starts the coordinator with these arguments.
    pub fn coordinator_with(&self, args: &[&str]) -> Process {
        self.coordinator_at(args, || self.path("mr.sock").exists())
    }

    /// Starts the coordinator with these arguments. It listens by the end of this, or has ended:
    /// workers wait for it for two seconds only, and a busy machine may take longer to start a
    /// process.
    pub fn coordinator_at(&self, args: &[&str], listens: impl Fn() -> bool) -> Process {
        self.team.replace(Team::new(&self.sim));
        let coordinator = Process::start(&mut self.command(COORDINATOR, args));
        let mut coordinator = coordinator.leading(&self.team.borrow());
        wait_until("the coordinator listens", || listens() || coordinator.ended().is_some());
        coordinator
    }

    /// Starts a worker with one of the programs' own apps.
    pub fn worker(&self, app: &str) -> Process {
        self.start(WORKER, &[app])
    }

    /// Starts a worker with an app that only tests use.
    pub fn test_worker(&self, app: &str) -> Process {
        self.start(TEST_WORKER, &[app])
    }

    /// Starts a program in the job's directory. A worker works for the coordinator that was started
    /// last by [`Job::coordinator_at`].
    pub fn start(&self, program: &str, args: &[&str]) -> Process {
        let process = Process::start(&mut self.command(program, args));
        let is_worker = [WORKER, TEST_WORKER].contains(&program);
        if is_worker { process.working_in(&self.team.borrow()) } else { process }
    }

    /// The command that runs a program in the job's directory.
    fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(testkit::program(program));
        command.args(args).current_dir(self.path(""));
        command
    }

    /// Names of the outputs that are there, in order.
    pub fn output_names(&self) -> Vec<String> {
        self.names().into_iter().filter(|name| name.starts_with("mr-out")).collect()
    }

    /// Names of all files in the job's directory, in order.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("")).expect("the directory is ours").flatten();
        sorted(entries.map(|entry| entry.file_name().to_string_lossy().into_owned()))
    }

    /// Whether a worker with an app that waits at gates is at the gate of this place and file, or
    /// has passed it.
    pub fn is_at_gate(&self, place: &str, file: &str) -> bool {
        self.path(&format!("mr-worker-at-{place}-{file}")).exists()
    }

    /// Opens the gate of this place and file.
    pub fn open_gate(&self, place: &str, file: &str) {
        let gate = self.path(&format!("mr-worker-open-{place}-{file}"));
        fs::write(gate, "").expect("the directory is ours");
    }

    /// The lines of all outputs, sorted.
    pub fn output(&self) -> Lines {
        let read = |name: String| fs::read_to_string(self.path(&name)).unwrap_or_default();
        let text: String = self.output_names().into_iter().map(read).collect();
        sorted(text.lines().filter(|line| !line.is_empty()).map(ToString::to_string))
    }

    /// Asserts that the outputs are as expected, and shows the first difference.
    #[track_caller]
    pub fn check_output(&self, expected: &Lines) {
        let actual = self.output();
        let differs = actual.iter().zip(expected).find(|(actual, expected)| actual != expected);
        if actual != *expected {
            let (lines, wanted) = (actual.len(), expected.len());
            self.sim.violated(
                "all outputs together are those of a sequential run",
                format!(
                    "the outputs are wrong: {lines} lines, expected {wanted}, first difference \
                     (actual, expected) {differs:?}; files: {:?}",
                    self.names(),
                ),
            );
        }
    }
}

/// Waits until `is_so` returns true, as [`wait_until`]. None of these processes may end before.
pub fn wait_for(goal: &str, processes: &mut [&mut Process], is_so: impl Fn() -> bool) {
    wait_until(goal, || {
        for process in &mut *processes {
            if let Some(status) = process.ended() {
                let errors = process.errors();
                assert!(is_so(), "a process ended with {status} before {goal}: {errors}");
            }
        }
        is_so()
    });
}

/// Waits until `is_so` returns true, for two minutes at most.
pub fn wait_until(goal: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(120), "waited two minutes until {goal}");
        sleep(GLANCE);
    }
}
