//! Five servers as processes under everything that an operator, a bad disk or a greedy client does
//! to them, for as long as wanted. `scripts/torture.sh` runs this.
//!
//! What clients saw must be linearizable, and what was acknowledged must be there at the end. No
//! server may use more descriptors and threads at the end than at the beginning, or much memory at
//! any time.
//!
//! A power failure is not among it: what a killed process has written stays. The grading tests and
//! those of the storage have them, on simulated disks.

mod clients;
mod servers;
mod trouble;

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use labrpc::{Instant, sleep};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::clients::Clients;
use crate::servers::{Servers, Usage};
use crate::trouble::Trouble;

/// The time without load after which idle threads have ended and connections are closed.
const QUIET: Duration = Duration::from_secs(12);
/// The time in which that must have happened.
const MOST_QUIET: Duration = Duration::from_secs(60);
/// The largest resident memory of a server.
const MOST_MEMORY: u64 = 256 << 20;
/// Descriptors and threads that a server may have more of at the end: connections to other servers
/// are made anew at any time.
const SLACK: u64 = 12;

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
    // The idle and the greedy need many descriptors.
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).ok();
    let stopwatch = Stopwatch(Instant::now());
    let mut servers = Servers::start(5);
    let clients = Clients::start(servers.addresses(), 12);
    clients.put_large_values();
    servers.await_equal_versions();
    let before = servers.usages();

    let mut trouble = Trouble::new(&mut servers);
    while stopwatch.0.elapsed() + QUIET < wanted {
        trouble.make_some();
        clients.judge();
        assert!(!clients.have_failed(), "an operation has taken too long");
    }
    trouble.end();
    check(servers, clients, &before);
}

/// Judges the run.
fn check(mut servers: Servers, clients: Clients, before: &[Usage]) {
    let keys = clients.stop();
    let after = await_quiet(&servers, before);
    let peaks = servers.peaks().to_vec();
    println!("server   descriptors     threads         memory in MB: start, end, largest");
    for (server, ((before, after), peak)) in before.iter().zip(&after).zip(&peaks).enumerate() {
        let [start, end, largest] = [before.memory, after.memory, *peak].map(|bytes| bytes >> 20);
        println!(
            "S{server}       {:3} -> {:3}      {:3} -> {:3}      {start:5} {end:5} {largest:5}",
            before.descriptors, after.descriptors, before.threads, after.threads
        );
    }
    keys.read_all();
    servers.kill_all_and_restart();
    keys.read_all();
    drop(servers);
    println!("{} operations are linearizable", keys.judge());
    let mut all = before.iter().zip(&after);
    assert!(all.all(|(before, after)| !uses_more(before, after)), "a server has a leak");
    assert!(peaks.iter().all(|&peak| peak < MOST_MEMORY), "a server took too much memory");
}

/// Waits until idle threads have ended and connections are closed: longer where a machine is busy.
fn await_quiet(servers: &Servers, before: &[Usage]) -> Vec<Usage> {
    rest(QUIET);
    let began = Instant::now();
    loop {
        let after = servers.usages();
        let is_quiet = !before.iter().zip(&after).any(|(before, after)| uses_more(before, after));
        if is_quiet || began.elapsed() > MOST_QUIET {
            return after;
        }
        rest(QUIET / 12);
    }
}

/// Whether a server has more descriptors or threads at the end.
fn uses_more(before: &Usage, after: &Usage) -> bool {
    after.descriptors > before.descriptors + SLACK || after.threads > before.threads + SLACK
}

/// Waits. If the process is asked to end meanwhile, this panics, and servers and directories go.
fn rest(time: Duration) {
    let began = Instant::now();
    while began.elapsed() < time {
        assert!(!IS_INTERRUPTED.load(Relaxed), "interrupted; the servers are killed");
        sleep(Duration::from_millis(20).min(time));
    }
}

/// Says when the run has failed.
struct Stopwatch(Instant);

impl Drop for Stopwatch {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let seconds = self.0.elapsed().as_secs_f64();
            writeln!(std::io::stdout(), "failed after {seconds:.0} s").ok(); // It may be closed.
        }
    }
}
