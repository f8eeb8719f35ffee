//! Five servers as processes under everything that an operator, a bad disk or a greedy client does
//! to them, for as long as wanted. `scripts/torture.sh` runs this.
//!
//! What clients saw must be linearizable, and what was acknowledged must be there at the end. The
//! server that is never killed must not use more descriptors and threads at the end than at the
//! beginning.

mod clients;
mod servers;
mod trouble;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use labrpc::{Instant, sleep};
use linearizability::{KvModel, Limits, Verdict, explain};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::clients::Clients;
use crate::servers::{Servers, Usage};
use crate::trouble::Trouble;

/// The time without load after which idle threads have ended and connections are closed.
const QUIET: Duration = Duration::from_secs(15);
/// The largest resident memory of a server.
const MOST_MEMORY: u64 = 256 << 20;
/// Descriptors and threads that a server may have more of at the end: connections to other servers
/// are made anew at any time.
const SLACK: u64 = 12;

#[test]
#[ignore = "takes as long as it is told to: scripts/torture.sh"]
fn torture() {
    let seconds = std::env::var("TORTURE_SECONDS").ok().and_then(|text| text.parse().ok());
    let wanted = Duration::from_secs(seconds.unwrap_or(60));
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).expect("signals can be caught");
    }
    // The idle and the greedy need many descriptors.
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).ok();
    let mut servers = Servers::start(5);
    let clients = Clients::start(servers.addresses(), 6);
    clients.put_large_values();
    sleep(Duration::from_secs(2));
    clients.pause();
    sleep(QUIET);
    let before = servers.usage(servers.survivor()).expect("nothing has ended it");
    clients.go_on();
    println!("at the start: {before}");

    let began = Instant::now();
    let mut trouble = Trouble::new(&mut servers);
    while began.elapsed() < wanted && !stop.load(Relaxed) && !clients.have_failed() {
        trouble.make_some();
    }
    trouble.end();
    if stop.load(Relaxed) {
        println!("interrupted; the servers are killed");
        return;
    }
    let peak = servers.peak();
    check(&mut servers, clients, &before, peak);
}

/// Judges the run.
fn check(servers: &mut Servers, clients: Clients, before: &Usage, peak: u64) {
    let keys = clients.stop();
    sleep(QUIET);
    let after = servers.usage(servers.survivor()).expect("nothing has ended it");
    println!("at the end:   {after}; the largest of all servers: {} MB", peak >> 20);
    keys.read_all();
    servers.kill_all_and_restart();
    keys.read_all();
    let history = keys.into_history();
    let report =
        explain(&KvModel, &history, &Limits { time: Some(QUIET * 8), ..Limits::default() });
    let (verdict, operations) = (report.verdict(), history.len());
    println!("{operations} operations are {verdict}");
    if let Some(window) = report.window() {
        println!("{window}");
    }
    assert_ne!(verdict, Verdict::Illegal, "what the clients saw is not linearizable");
    assert_eq!(verdict, Verdict::Ok, "the history could not be decided");
    assert!(peak < MOST_MEMORY, "a server took {peak} bytes");
    for (what, before, after) in [
        ("descriptors", before.descriptors, after.descriptors),
        ("threads", before.threads, after.threads),
    ] {
        assert!(after <= before + SLACK, "{before} {what} at the start, {after} at the end");
    }
}
