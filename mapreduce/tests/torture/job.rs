//! A job as processes, and the disk on which it runs.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use labrpc::{Instant, rng};
use rand::RngExt;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::rest;

const COORDINATOR: &str = env!("CARGO_BIN_EXE_mrcoordinator");
const WORKER: &str = env!("CARGO_BIN_EXE_mrworker");

/// How long anything may take that works.
const LIMIT: Duration = Duration::from_secs(60);
/// The exit code of a process whose main task has panicked.
const PANICKED: i32 = 101;

/// A directory with a small file system for jobs, if this user may mount one.
pub struct Disk {
    root: TempDir,
    is_small: bool,
}

impl Disk {
    pub fn new() -> Self {
        let root = tempfile::Builder::new().prefix("torture-").tempdir();
        let mut disk = Self { root: root.expect("directories can be made"), is_small: false };
        fs::create_dir(disk.mounted()).expect("the directory is ours");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=64m", "tmpfs"]).arg(disk.mounted());
        disk.is_small = mount.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
        if !disk.is_small {
            println!("SKIPPED: no full disks, since this user cannot mount a small one");
        }
        disk
    }

    /// Where the inputs are.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    fn mounted(&self) -> PathBuf {
        self.root().join("disk")
    }

    /// The directory of the jobs.
    pub fn directory(&self) -> PathBuf {
        self.mounted().join("job")
    }

    /// Fills the disk, if that is possible.
    pub fn fill(&self) -> bool {
        if self.is_small {
            fs::write(self.mounted().join("filling"), vec![1; 80 << 20]).ok(); // It is full now.
        }
        self.is_small
    }

    /// Makes room again.
    pub fn clear(&self) {
        fs::remove_file(self.mounted().join("filling")).ok();
    }

    /// What the processes have said last.
    pub fn last_words(&self) -> String {
        let said = fs::read_to_string(self.root().join("said")).unwrap_or_default();
        let lines: Vec<&str> = said.lines().rev().take(20).collect();
        format!("they said, last first:\n{}", lines.join("\n"))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.is_small {
            Command::new("umount").arg("-l").arg(self.mounted()).status().ok();
        }
    }
}

/// How a job ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Done,
    Failed,
}

impl End {
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "job done",
            Self::Failed => "job failed on a full disk",
        }
    }
}

/// A job. Its processes are killed when this is dropped.
pub struct Job {
    root: PathBuf,
    directory: PathBuf,
    app: &'static [&'static str],
    coordinator: Child,
    workers: Vec<Worker>,
    may_fail: bool,
}

/// A worker.
struct Worker {
    process: Child,
    /// Until when it is stopped.
    stopped: Option<Instant>,
}

impl Job {
    /// Starts a job on the books, in place of the one before.
    pub fn start(disk: &Disk, app: &'static [&'static str], workers: usize) -> Self {
        let (root, directory) = (disk.root().to_path_buf(), disk.directory());
        fs::create_dir_all(&directory).expect("the directory is ours");
        let coordinator = start_coordinator(&root, &directory);
        let mut job =
            Self { root, directory, app, coordinator, workers: Vec::new(), may_fail: false };
        (0..workers).for_each(|_| job.add_worker());
        job
    }

    fn add_worker(&mut self) {
        let process = start(&self.root, &self.directory, WORKER, self.app);
        self.workers.push(Worker { process, stopped: None });
    }

    /// One of the workers.
    fn any(&mut self) -> usize {
        rng().random_range(0..self.workers.len() as u32) as usize
    }

    /// Starts others for workers that have ended, and wakes those that have been stopped for long
    /// enough.
    pub fn replace_ended_workers(&mut self) {
        note_usage(&self.coordinator);
        let mut ended = 0;
        self.workers.retain_mut(|worker| {
            note_usage(&worker.process);
            if worker.stopped.is_some_and(|until| until <= Instant::now()) {
                worker.stopped = None;
                signal(&worker.process, Signal::CONT);
            }
            let status = worker.process.try_wait().expect("it is our child");
            if let Some(status) = status {
                assert_ne!(status.code(), Some(PANICKED), "a worker has panicked");
                ended += 1;
            }
            status.is_none()
        });
        (0..ended).for_each(|_| self.add_worker());
    }

    /// How the job has ended, if it has.
    pub fn ended(&mut self) -> Option<End> {
        let status = self.coordinator.try_wait().expect("it is our child")?;
        if status.success() {
            return Some(End::Done);
        }
        let said = fs::read_to_string(self.root.join("said")).unwrap_or_default();
        let is_allowed = self.may_fail && status.code() == Some(1);
        assert!(is_allowed, "the job has failed with {status}:\n{said}");
        Some(End::Failed)
    }

    /// From now on the job may fail: its disk is full.
    pub fn may_fail(&mut self) {
        self.may_fail = true;
    }

    /// Another worker takes the place of one that is killed.
    pub fn kill_worker(&mut self) -> &'static str {
        let victim = self.any();
        kill(&mut self.workers.swap_remove(victim).process);
        self.add_worker();
        "kill -9 of a worker"
    }

    /// A worker stops for some time, perhaps for longer than its task may take.
    pub fn stop_worker(&mut self, time: Duration) -> &'static str {
        let victim = self.any();
        let worker = &mut self.workers[victim];
        signal(&worker.process, Signal::STOP);
        worker.stopped = Some(Instant::now() + time);
        "worker stopped"
    }

    pub fn stop_coordinator(&self) {
        signal(&self.coordinator, Signal::STOP);
    }

    pub fn continue_coordinator(&self) -> &'static str {
        signal(&self.coordinator, Signal::CONT);
        "coordinator stopped"
    }

    /// The coordinator is killed, and the job begins anew. Workers of the old one are still there.
    pub fn restart_coordinator(&mut self) -> &'static str {
        kill(&mut self.coordinator);
        self.coordinator = start_coordinator(&self.root, &self.directory);
        "kill -9 of a coordinator"
    }

    /// Waits until all workers have ended.
    pub fn await_workers(&mut self) {
        let began = Instant::now();
        for worker in &mut self.workers {
            signal(&worker.process, Signal::CONT);
            while worker.process.try_wait().expect("it is our child").is_none() {
                assert!(began.elapsed() < LIMIT, "a worker does not end after its job");
                rest(Duration::from_millis(20));
            }
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        kill(&mut self.coordinator);
        self.workers.iter_mut().for_each(|worker| kill(&mut worker.process));
    }
}

/// Starts a coordinator, which removes what is left of an earlier job.
fn start_coordinator(root: &Path, directory: &Path) -> Child {
    let args = ["--replace", "--reduces", "5", "--split-size", "200K", "--task-timeout", "2"];
    let args = [&args[..], &["../../pg-*.txt"]].concat();
    let coordinator = start(root, directory, COORDINATOR, &args);
    let began = Instant::now();
    // A worker waits for it for two seconds only.
    while !directory.join("mr.sock").exists() && began.elapsed() < Duration::from_secs(5) {
        rest(Duration::from_millis(20));
    }
    coordinator
}

/// Starts a program, which says what it has to say in a file.
fn start(root: &Path, directory: &Path, program: &str, args: &[&str]) -> Child {
    let said = OpenOptions::new().create(true).append(true).open(root.join("said"));
    let mut command = Command::new(program);
    command.args(args).current_dir(directory).stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(said.expect("the directory is ours")).env_remove("RUST_LOG");
    command.process_group(0); // Ctrl-C is for this process: it ends them.
    command.spawn().expect("the program was built")
}

/// Kills a process, if it has not ended.
fn kill(process: &mut Child) {
    process.kill().ok(); // It may have ended.
    process.wait().ok();
}

/// Sends a signal to a process that was not waited for.
fn signal(process: &Child, signal: Signal) {
    kill_process(Pid::from_child(process), signal).ok(); // It may have ended.
}

/// The most that any process has used.
static DESCRIPTORS: AtomicU64 = AtomicU64::new(0);
static THREADS: AtomicU64 = AtomicU64::new(0);
static MEGABYTES: AtomicU64 = AtomicU64::new(0);

/// Looks what a process uses.
fn note_usage(process: &Child) {
    let directory = PathBuf::from(format!("/proc/{}", process.id()));
    let status = fs::read_to_string(directory.join("status")).unwrap_or_default();
    let number = |name: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap_or(0)
    };
    let descriptors = fs::read_dir(directory.join("fd")).map_or(0, Iterator::count);
    DESCRIPTORS.fetch_max(descriptors as u64, Relaxed);
    THREADS.fetch_max(number("Threads"), Relaxed);
    MEGABYTES.fetch_max(number("VmRSS") >> 10, Relaxed);
}

/// The most that any process has used at any time.
pub fn most_used() -> impl fmt::Display {
    let [descriptors, threads, megabytes] =
        [&DESCRIPTORS, &THREADS, &MEGABYTES].map(|most| most.load(Relaxed));
    format!("{descriptors} descriptors, {threads} threads, {megabytes} MB")
}
