//! Jobs of real processes, one after the other for as long as wanted: workers and coordinators are
//! killed and stopped, and disks are full. `scripts/torture.sh` runs this.
//!
//! A job that says that it is done must have written what `mrsequential` writes. One that says that
//! it has failed must have had a full disk, and leaves no output.

#[allow(dead_code, reason = "the grading tests use the rest")]
#[path = "../grading/corpus.rs"]
mod corpus;
mod job;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use labrpc::{Instant, rng, sleep};
use rand::RngExt;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::job::{Disk, End, Job};

/// The apps, with their arguments.
const APPS: [&[&str]; 3] = [&["wc"], &["indexer"], &["grep", "th"]];
/// Workers of a job at any time.
const WORKERS: usize = 3;
/// The longest time of a job, with all that is done to it.
const LIMIT: Duration = Duration::from_secs(180);

/// Whether a signal has asked this process to end.
static IS_INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

#[test]
#[ignore = "takes as long as it is told to: scripts/torture.sh"]
fn torture() {
    let seconds = std::env::var("TORTURE_SECONDS").ok().and_then(|text| text.parse().ok());
    let wanted = Duration::from_secs(seconds.unwrap_or(60));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        let flag = Arc::clone(&IS_INTERRUPTED);
        signal_hook::flag::register(signal, flag).expect("signals can be caught");
    }
    let disk = Disk::new();
    corpus::write_books(disk.root(), 1, 1).expect("the directory is ours");
    let expected = APPS.map(|app| sequential_output(disk.root(), app));
    let mut counts = BTreeMap::new();
    let began = Instant::now();
    while began.elapsed() < wanted {
        let number = rng().random_range(0..APPS.len() as u32) as usize;
        let mut job = Job::start(&disk, APPS[number], WORKERS);
        let end = run(&mut job, &disk, &mut counts);
        job.await_workers();
        let written = output(&disk.directory());
        match end {
            End::Done => {
                let is_right = written == expected[number];
                assert!(
                    is_right,
                    "the output of {:?} is wrong: {}",
                    APPS[number],
                    disk.last_words()
                );
            }
            End::Failed => assert_eq!(written.len(), 0, "a failed job leaves output"),
        }
        *counts.entry(end.name()).or_default() += 1;
    }
    let counts: Vec<String> =
        counts.iter().map(|(what, count)| format!("{count} x {what}")).collect();
    println!("{}", counts.join(", "));
    println!("most of any process: {}", job::most_used());
}

/// Makes trouble until a job has ended.
fn run(job: &mut Job, disk: &Disk, counts: &mut BTreeMap<&'static str, u32>) -> End {
    let began = Instant::now();
    loop {
        rest(Duration::from_millis(rng().random_range(50..400)));
        job.replace_ended_workers();
        if let Some(end) = job.ended() {
            return end;
        }
        assert!(began.elapsed() < LIMIT, "the job does not end; {}", disk.last_words());
        let kind = match rng().random_range(0..20_u32) {
            0..6 => job.kill_worker(),
            6..13 => job.stop_worker(Duration::from_millis(rng().random_range(100..5000))),
            13..16 => {
                job.stop_coordinator();
                rest(Duration::from_millis(rng().random_range(100..3000)));
                job.continue_coordinator()
            }
            16 => job.restart_coordinator(),
            17 if disk.fill() => {
                job.may_fail();
                rest(Duration::from_millis(rng().random_range(100..1500)));
                disk.clear();
                "disk full"
            }
            _ => continue,
        };
        *counts.entry(kind).or_default() += 1;
    }
}

/// What `mrsequential` makes of the books, under the names that jobs use.
fn sequential_output(root: &Path, app: &[&str]) -> Vec<String> {
    let directory = root.join("sequential").join(app[0]);
    fs::create_dir_all(&directory).expect("the directory is ours");
    let names = fs::read_dir(root).expect("the directory is ours").flatten();
    let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let books = names.filter(|name| name.starts_with("pg-")).map(|name| format!("../../{name}"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_mrsequential"));
    command.args(app).args(books).current_dir(&directory);
    assert!(command.status().expect("it was built").success(), "{app:?} fails");
    output(&directory)
}

/// The lines of all outputs in a directory, sorted.
fn output(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("the directory is ours").flatten();
    let is_output =
        |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with("mr-out");
    let read = |entry: fs::DirEntry| fs::read_to_string(entry.path()).expect("it is text");
    let text: String = entries.filter(is_output).map(read).collect();
    let mut lines: Vec<String> = text.lines().map(ToString::to_string).collect();
    lines.sort();
    lines
}

/// Waits. If the process is asked to end meanwhile, this panics, and processes and directories go.
fn rest(time: Duration) {
    let began = Instant::now();
    while began.elapsed() < time {
        assert!(!IS_INTERRUPTED.load(Relaxed), "interrupted; all processes are killed");
        sleep(Duration::from_millis(20).min(time));
    }
}
