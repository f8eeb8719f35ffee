//! What is done to the servers.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use labrpc::{encode, rng, sleep};
use rand::RngExt;
use rustix::process::Signal;

use crate::clients::LARGE_KEY;
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
        let kind = match rng().random_range(0..12_u32) {
            0..3 => self.kill(),
            3..7 => self.pause(),
            7 => self.kill_and_pause(),
            8 => self.be_idle(),
            9 => self.be_deaf(),
            10 => self.empty(),
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
            sleep(Duration::from_millis(100));
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
        victims.iter().for_each(|&victim| self.servers.kill(victim));
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

    fn kill_and_pause(&mut self) -> &'static str {
        let victims = Self::some(self.servers.survivor());
        self.servers.signal(self.servers.survivor(), Signal::STOP);
        self.rest(0..3000);
        victims.iter().for_each(|&victim| self.servers.kill(victim));
        self.rest(0..3000);
        self.servers.signal(self.servers.survivor(), Signal::CONT);
        victims.iter().for_each(|&victim| self.servers.restart(victim));
        "kill -9 while another one is paused"
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
        self.servers.kill(victim);
        self.servers.empty(victim);
        self.rest(0..2000);
        self.servers.restart(victim);
        self.servers.await_equal_versions();
        "directory emptied"
    }

    fn fill_disk(&mut self) -> &'static str {
        let victim = Servers::SMALL_DISK;
        if !self.servers.fill_disk() {
            return "disk full (skipped)";
        }
        self.rest(500..4000);
        let has_ended = self.servers.check_running(Some(victim));
        self.servers.kill(victim);
        self.servers.clear_disk();
        self.servers.restart(victim);
        if has_ended { "disk full" } else { "disk full, unnoticed" }
    }
}
