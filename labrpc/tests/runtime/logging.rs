//! Watching a run does not change it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use labrpc::{Instant, Mutex, Node, Persister, Simulation, note, sleep, spawn};
use log::{debug, error, info, trace, warn};

use crate::{child, failure_of};

/// Two servers that count; `watch` is called at every step.
fn hash(watch: impl Fn(&Watched) + Clone + Send + Sync + 'static) -> u64 {
    let outcome = Simulation::new(7).run(move || {
        let watched = Arc::new(Watched {
            count: Mutex::new(0),
            disk: Persister::new(),
            started: Instant::now(),
        });
        let tasks: Vec<_> = ["S0", "S1"]
            .map(|name| {
                let (watched, watch) = (Arc::clone(&watched), watch.clone());
                Node::new(name).spawn(move || {
                    for _ in 0..500 {
                        sleep(Duration::from_micros(10));
                        *watched.count.lock() += 1;
                        watch(&watched);
                    }
                })
            })
            .into();
        tasks.into_iter().for_each(|task| task.join().expect("it only counts"));
    });
    outcome.result.unwrap_or_else(|failure| panic!("{failure}"));
    outcome.trace_hash
}

/// What is watched.
struct Watched {
    count: Mutex<u32>,
    disk: Persister,
    started: Instant,
}

/// Even this is allowed in a log line: it locks, reads the clock and saves.
impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.disk.save_raft_state(vec![0; 10]);
        write!(f, "{} after {:?}", self.count.lock(), self.started.elapsed())
    }
}

#[test]
fn log_lines_and_assertions_change_nothing() {
    let unwatched = hash(|_| ());
    let logged = hash(|watched| {
        trace!("{watched}");
        debug!("{watched}");
        info!(target: "VOTE", "S0@1 saw {watched}");
        warn!("{watched}");
        error!("{:?} {:?}", watched.disk, watched.count);
    });
    assert_eq!(logged, unwatched);
    let printed = hash(|watched| {
        println!("{:?} {:?} {:?}", watched.disk, watched.count, watched.started);
        assert!(watched.started <= watched.started, "dbg and assertions only read");
    });
    assert_eq!(printed, unwatched);
}

/// The same test in a process where every line is put into words and printed.
#[test]
fn log_lines_change_nothing_when_they_are_printed() {
    if child::is_child() {
        log_lines_and_assertions_change_nothing();
        return;
    }
    let name = "logging::log_lines_change_nothing_when_they_are_printed";
    let output = child::again(name, &[("VERBOSE", "1")]);
    let text = child::text(&output);
    assert!(output.status.success(), "{text}");
    assert!(text.contains(" VOTE S0@1 saw "), "the topic, and a message that names its server");
    assert!(text.contains(" INFO ") || text.contains(" WARN S1 "), "the level, and the node");
}

#[test]
fn notes_take_part_in_the_hash() {
    let hash = |text: &'static str| {
        Simulation::new(7).run(move || note(format_args!("{text}"))).trace_hash
    };
    assert_eq!(hash("leader is S0"), hash("leader is S0"));
    assert_ne!(hash("leader is S0"), hash("leader is S1"));
}

#[test]
fn failure_report_ends_with_the_last_lines_of_the_log() {
    let failure = failure_of(|| {
        spawn(|| {
            for i in 0..100 {
                info!(target: "TICK", "number {i}");
                sleep(Duration::from_millis(10));
            }
        });
        sleep(Duration::from_millis(505));
        panic!("enough");
    });
    assert_eq!(failure.log.len(), 40);
    assert_eq!(failure.log.last().map(String::as_str), Some("005000 TICK number 50"));
    assert!(failure.to_string().contains("last log lines\n    0"), "{failure}");
    assert!(!failure.events.is_empty());
}
