//! The servers: processes on the loopback interface, and what they use.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::FileExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use labrpc::Instant;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::rest;

/// The program that was built with this test. `TORTURE_PROGRAM` names another one.
const PROGRAM: &str = env!("CARGO_BIN_EXE_pbservice");

/// How long anything may take that works.
const LIMIT: Duration = Duration::from_secs(120);

/// The servers, each with a directory of its own. They are killed when this is dropped.
pub struct Servers {
    root: TempDir,
    /// In ascending order.
    addresses: Vec<SocketAddr>,
    children: Vec<Option<Child>>,
    /// The largest resident memory of each.
    peaks: Vec<u64>,
    /// Whether the directory of [`Servers::SMALL_DISK`] is a small file system.
    has_small_disk: bool,
}

/// What a process uses.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    pub descriptors: u64,
    pub threads: u64,
    pub memory: u64,
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { descriptors, threads, memory } = self;
        write!(f, "{descriptors} descriptors, {threads} threads, {} MB", memory >> 20)
    }
}

impl Servers {
    /// The server whose disk may be small.
    pub const SMALL_DISK: usize = 3;

    /// Starts this number of servers.
    pub fn start(count: usize) -> Self {
        let bind = |_| TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let ports: Vec<TcpListener> = (0..count).map(bind).collect();
        let mut addresses: Vec<_> =
            ports.iter().map(|port| port.local_addr().expect("it is bound")).collect();
        addresses.sort();
        drop(ports);
        let root = tempfile::Builder::new().prefix("torture-").tempdir();
        let root = root.expect("temporary directories can be made");
        // No build meanwhile may replace it.
        let program = std::env::var_os("TORTURE_PROGRAM").unwrap_or_else(|| PROGRAM.into());
        fs::copy(program, root.path().join("pbservice")).expect("the program was built");
        let children = (0..count).map(|_| None).collect();
        let mut servers =
            Self { root, addresses, children, peaks: vec![0; count], has_small_disk: false };
        servers.has_small_disk = servers.mount_small_disk();
        (0..count).for_each(|server| servers.restart(server));
        servers
    }

    /// The addresses of all.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The server that is never killed before the end.
    pub fn survivor(&self) -> usize {
        self.addresses.len() - 1
    }

    /// A command of the program.
    fn command(&self) -> Command {
        Command::new(self.root.path().join("pbservice"))
    }

    /// The file system of a server.
    fn disk(&self, server: usize) -> PathBuf {
        self.root.path().join(format!("S{server}"))
    }

    /// The directory of a server.
    pub fn directory(&self, server: usize) -> PathBuf {
        self.disk(server).join("data")
    }

    /// Gives a server a disk of its own that can be filled, if this user may mount one.
    fn mount_small_disk(&self) -> bool {
        let disk = self.disk(Self::SMALL_DISK);
        fs::create_dir_all(&disk).expect("the directory is ours");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=96m", "tmpfs"]).arg(disk);
        let mounted = mount.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
        if !mounted {
            println!("SKIPPED: no full disks, since this user cannot mount a small one");
        }
        mounted
    }

    /// Fills the small disk, if there is one.
    pub fn fill_disk(&self) -> bool {
        if self.has_small_disk {
            let filling = vec![1; 128 << 20];
            fs::write(self.disk(Self::SMALL_DISK).join("filling"), filling).ok(); // It is full now.
        }
        self.has_small_disk
    }

    /// Makes room on the small disk.
    pub fn clear_disk(&self) {
        fs::remove_file(self.disk(Self::SMALL_DISK).join("filling")).ok();
    }

    /// Starts a server that is down.
    pub fn restart(&mut self, server: usize) {
        assert!(self.children[server].is_none(), "server {server} is up");
        let said = self.root.path().join(format!("said-{server}"));
        let said = OpenOptions::new().create(true).append(true).open(said);
        let peers: Vec<String> = self.addresses.iter().map(ToString::to_string).collect();
        fs::create_dir_all(self.disk(server)).expect("the directory is ours");
        let mut command = self.command();
        command.args(["server", "--listen", &peers[server], "--snapshot-every", "500"]);
        command.args(["--peers", &peers.join(","), "--data"]).arg(self.directory(server));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(said.expect("the directory is ours")).env_remove("RUST_LOG");
        command.process_group(0); // Ctrl-C is for this process: it ends them.
        self.children[server] = Some(command.spawn().expect("the program was built"));
    }

    /// Kills servers at once, as `kill -9` does.
    pub fn kill(&mut self, servers: &[usize]) {
        let taken = servers.iter().filter_map(|&server| self.children[server].take());
        let mut killed: Vec<Child> = taken.collect();
        for child in &mut killed {
            child.kill().ok(); // It may have ended.
        }
        for child in &mut killed {
            child.wait().ok();
        }
    }

    /// Kills all and starts them again.
    pub fn kill_all_and_restart(&mut self) {
        let all: Vec<usize> = (0..self.children.len()).collect();
        self.kill(&all);
        all.into_iter().for_each(|server| self.restart(server));
    }

    /// Flips a bit of a server's file, at a random place or, in the log, in what is surely synced.
    pub fn flip_bit(&self, server: usize, file: &str, random: u64) {
        let path = self.directory(server).join(file);
        let Ok(file_to_flip) = OpenOptions::new().read(true).write(true).open(path) else { return };
        let length = file_to_flip.metadata().expect("it is open").len();
        let length = if file == "log" { length / 2 } else { length };
        let (offset, mut byte) = (random / 8 % length.max(1), [0]);
        file_to_flip.read_exact_at(&mut byte, offset).expect("it is so long");
        byte[0] ^= 1 << (random % 8);
        file_to_flip.write_all_at(&byte, offset).expect("it can be written");
    }

    /// Removes all that is in the directory of a server that is down.
    pub fn empty(&self, server: usize) {
        fs::remove_dir_all(self.directory(server)).expect("the directory is ours");
    }

    /// Stops a server, or lets it go on.
    pub fn signal(&self, server: usize, signal: Signal) {
        if let Some(child) = &self.children[server] {
            kill_process(Pid::from_child(child), signal).expect("it is our child");
        }
    }

    /// Fails if a server has ended by itself. Returns whether that is so of the one that may.
    pub fn check_running(&mut self, may_end: Option<usize>) -> bool {
        let mut has_ended = false;
        for server in 0..self.children.len() {
            let Some(child) = &mut self.children[server] else { continue };
            let Some(status) = child.try_wait().expect("it is our child") else { continue };
            let said = self.root.path().join(format!("said-{server}"));
            let said = fs::read_to_string(said).unwrap_or_default();
            let last = said.lines().last().unwrap_or_default();
            assert_eq!(may_end, Some(server), "server {server} ended with {status}: {last}");
            has_ended = true;
        }
        has_ended
    }

    /// What a server uses; `None` if it is down.
    fn usage(&self, server: usize) -> Option<Usage> {
        let pid = self.children[server].as_ref()?.id();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let number = |name: &str| -> Option<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().ok()
        };
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count() as u64;
        Some(Usage { descriptors, threads: number("Threads")?, memory: number("VmRSS")? << 10 })
    }

    /// What all of them use; nothing where one is down.
    pub fn usages(&self) -> Vec<Usage> {
        let usage = |server| self.usage(server).unwrap_or_default();
        (0..self.children.len()).map(usage).collect()
    }

    /// Looks what memory all of them use now.
    pub fn watch(&mut self) {
        let usages = self.usages();
        for (peak, usage) in self.peaks.iter_mut().zip(usages) {
            *peak = usage.memory.max(*peak);
        }
    }

    /// The largest resident memory that was seen of each.
    pub fn peaks(&self) -> &[u64] {
        &self.peaks
    }

    /// Waits until all servers have the same version of the log. None may end meanwhile.
    pub fn await_equal_versions(&mut self) {
        let began = Instant::now();
        loop {
            self.check_running(None);
            let mut command = self.command();
            command.args(["status", "--peers"]);
            let peers: Vec<String> = self.addresses.iter().map(ToString::to_string).collect();
            let output = command.arg(peers.join(",")).output().expect("the program was built");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let versions: Vec<&str> =
                text.split(' ').filter(|field| field.starts_with("version=")).collect();
            let are_sound = versions.len() == peers.len() && !text.contains("version=none");
            if are_sound && orders_are_close(&versions) {
                return;
            }
            assert!(began.elapsed() < LIMIT, "the servers do not become equal:\n{text}");
            rest(Duration::from_millis(200));
        }
    }
}

/// Whether logs `version=7@5` differ by no more than what is under way.
fn orders_are_close(versions: &[&str]) -> bool {
    let order = |version: &&str| -> Option<u64> {
        version.strip_prefix("version=")?.split('@').next()?.parse().ok()
    };
    let orders: Vec<u64> = versions.iter().filter_map(order).collect();
    let (least, most) = (orders.iter().min(), orders.iter().max());
    orders.len() == versions.len()
        && least.zip(most).is_some_and(|(least, most)| most - least < 200)
}

impl Drop for Servers {
    fn drop(&mut self) {
        self.kill(&(0..self.children.len()).collect::<Vec<_>>());
        if self.has_small_disk {
            Command::new("umount").arg(self.disk(Self::SMALL_DISK)).status().ok();
        }
    }
}
