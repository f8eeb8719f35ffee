//! What is done to the servers.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use labrpc::{encode, rng};
use rand::RngExt;
use rustix::process::Signal;

use crate::clients::LARGE_KEY;
use crate::rest;
use crate::servers::Servers;

/// Connections of the idle, to each server: more than it has places.
const IDLE: usize = 300;
/// Connections of those that do not read, to one server, and the calls on each.
const DEAF: (usize, usize) = (100, 100);

/// Makes trouble of one kind after the other.
pub struct Trouble<'a> {
    servers: &'a mut Servers,
    /// How often there was which kind.
    counts: BTreeMap<&'static str, u32>,
}

impl<'a> Trouble<'a> {
    pub fn new(servers: &'a mut Servers) -> Self {
        Self { servers, counts: BTreeMap::new() }
    }

    /// Makes some trouble, ends it, and gives the servers a moment.
    pub fn make_some(&mut self) {
        let kind = match rng().random_range(0..22_u32) {
            0..3 => self.kill(),
            3..7 => self.pause(),
            7..10 => self.kill_and_pause(),
            10 => self.be_idle(),
            11 => self.be_deaf(),
            12 => self.empty(),
            13 => self.rot(false),
            14 => self.rot(true),
            15..17 => self.lose(),
            17..21 => self.swap(),
            _ => self.fill_disk(),
        };
        *self.counts.entry(kind).or_default() += 1;
        self.rest(200..2000);
        self.servers.check_running(None);
    }

    /// Says what there was, once all servers are sound.
    pub fn end(self) {
        self.servers.await_equal_versions();
        let counts: Vec<String> =
            self.counts.iter().map(|(kind, count)| format!("{count} x {kind}")).collect();
        println!("trouble: {}", counts.join(", "));
    }

    /// Waits for a random number of milliseconds.
    fn rest(&mut self, millis: std::ops::Range<u64>) {
        for _ in 0..rng().random_range(millis) / 100 + 1 {
            self.servers.watch();
            rest(Duration::from_millis(100));
        }
    }

    /// One or two different servers below `limit`.
    fn some(limit: usize) -> Vec<usize> {
        let any = || rng().random_range(0..limit as u32) as usize;
        let (first, second) = (any(), any());
        if first == second { vec![first] } else { vec![first, second] }
    }

    fn kill(&mut self) -> &'static str {
        let victims = Self::some(self.servers.survivor());
        self.servers.kill(&victims);
        self.rest(0..4000);
        victims.iter().for_each(|&victim| self.servers.restart(victim));
        "kill -9 of one or two"
    }

    fn pause(&mut self) -> &'static str {
        let victims = Self::some(self.servers.addresses().len());
        victims.iter().for_each(|&victim| self.servers.signal(victim, Signal::STOP));
        self.rest(500..6000);
        for victim in victims {
            self.servers.signal(victim, Signal::CONT);
            self.rest(0..300);
        }
        "pause of one or two"
    }

    /// Without the one that is paused, what the others have acknowledged must be on their disks.
    fn kill_and_pause(&mut self) -> &'static str {
        let survivor = self.servers.survivor();
        let victims: Vec<usize> = match rng().random_range(0..2_u32) {
            0 => (0..survivor).collect(),
            _ => Self::some(survivor),
        };
        self.servers.signal(survivor, Signal::STOP);
        self.rest(0..3000);
        self.servers.kill(&victims);
        self.rest(0..1000);
        victims.iter().for_each(|&victim| self.servers.restart(victim));
        self.rest(0..4000);
        self.servers.signal(survivor, Signal::CONT);
        "kill -9 of one, two or four while another one is paused"
    }

    /// Two servers are paused, so that what is acknowledged meanwhile is on three only. Of these, two
    /// are killed, and the third one may lose its log: it must not help the other two to serve.
    fn lose(&mut self) -> &'static str {
        self.servers.await_equal_versions();
        let survivor = self.servers.survivor();
        let first = rng().random_range(0..survivor as u32) as usize;
        let [paused, lost, down @ ..] = [0, 1, 2, 3].map(|n| (first + n) % survivor);
        for server in [paused, survivor] {
            self.servers.signal(server, Signal::STOP);
        }
        self.rest(2000..5000);
        self.servers.kill(&[lost, down[0], down[1]]);
        let kind = match rng().random_range(0..4_u32) {
            0 => "two of three killed",
            1 => {
                self.servers.empty(lost);
                "directory of one of three emptied"
            }
            _ => {
                self.servers.flip_bit(lost, "log", rng().random_range(0..u64::MAX));
                "log of one of three rotten"
            }
        };
        for server in [paused, survivor] {
            self.servers.signal(server, Signal::CONT);
        }
        self.servers.restart(lost);
        self.rest(2000..5000);
        down.iter().for_each(|&server| self.servers.restart(server));
        self.servers.await_equal_versions();
        kind
    }

    /// Three servers are paused, and then the other two instead, or killed: those may have taken in
    /// what was never done, and return when the three have gone on without it.
    fn swap(&mut self) -> &'static str {
        let first = rng().random_range(0..5_u32) as usize;
        let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(|n| (first + n) % 5);
        let (most, rest) = ([a, b, c], [d, e]);
        let is_killed = !rest.contains(&self.servers.survivor()) && rng().random_bool(0.5);
        let signal = |servers: &Servers, to: &[usize], signal: Signal| {
            to.iter().for_each(|&server| servers.signal(server, signal));
        };
        signal(self.servers, &most, Signal::STOP);
        self.rest(100..1200);
        match is_killed {
            true => self.servers.kill(&rest),
            false => signal(self.servers, &rest, Signal::STOP),
        }
        signal(self.servers, &most, Signal::CONT);
        self.rest(2000..5000);
        match is_killed {
            true => rest.iter().for_each(|&server| self.servers.restart(server)),
            false => signal(self.servers, &rest, Signal::CONT),
        }
        "pause of three, and then of the other two"
    }

    fn be_idle(&mut self) -> &'static str {
        let addresses = self.servers.addresses().iter().cycle().take(5 * IDLE);
        let connections: Vec<_> = addresses.map(TcpStream::connect).collect();
        self.rest(2000..5000);
        drop(connections);
        "idle connections"
    }

    fn be_deaf(&mut self) -> &'static str {
        let key = encode(&LARGE_KEY.to_string());
        let method = b"Pb.Read";
        let body = [&(method.len() as u16).to_le_bytes()[..], method, &key].concat();
        let length = (body.len() as u32).to_le_bytes();
        let request = [b"LRPC", &length[..], &[1], &[0; 8], &body].concat();
        let calls = request.repeat(DEAF.1);
        let addresses = self.servers.addresses().to_vec();
        let mut connections = Vec::new();
        // Of these only the primary's replies are long.
        for address in addresses.iter().cycle().take(addresses.len() * DEAF.0) {
            let Ok(mut stream) = TcpStream::connect(address) else { continue };
            stream.set_write_timeout(Some(Duration::from_millis(50))).ok();
            stream.write_all(&calls).ok(); // The server need not read them.
            connections.push(stream);
        }
        self.rest(2000..5000);
        "readers that never read"
    }

    fn empty(&mut self) -> &'static str {
        self.servers.await_equal_versions();
        let victim = rng().random_range(0..Servers::SMALL_DISK as u32) as usize;
        self.servers.kill(&[victim]);
        self.servers.empty(victim);
        self.rest(0..2000);
        self.servers.restart(victim);
        self.servers.await_equal_versions();
        "directory emptied"
    }

    /// A bit of a file flips, while its server is down or at work. It is repaired at its next start.
    fn rot(&mut self, is_at_work: bool) -> &'static str {
        self.servers.await_equal_versions();
        let victim = rng().random_range(0..Servers::SMALL_DISK as u32) as usize;
        let file = ["log", "log", "snapshot", "promise"][rng().random_range(0..4_u32) as usize];
        if !is_at_work {
            self.servers.kill(&[victim]);
        }
        self.servers.flip_bit(victim, file, rng().random_range(0..u64::MAX));
        self.rest(0..3000);
        self.servers.check_running(Some(victim)); // It may have noticed.
        self.servers.kill(&[victim]);
        self.servers.restart(victim);
        self.servers.await_equal_versions();
        if is_at_work { "rot at work" } else { "rot while down" }
    }

    fn fill_disk(&mut self) -> &'static str {
        let victim = Servers::SMALL_DISK;
        if !self.servers.fill_disk() {
            return "disk full (skipped)";
        }
        self.rest(500..4000);
        let has_ended = self.servers.check_running(Some(victim));
        self.servers.kill(&[victim]);
        self.servers.clear_disk();
        self.servers.restart(victim);
        if has_ended { "disk full" } else { "disk full, unnoticed" }
    }
}
