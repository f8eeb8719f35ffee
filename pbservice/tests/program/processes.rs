//! Five servers as processes on this machine's loopback interface, with real files.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use labrpc::{Instant, sleep};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// The program.
const PROGRAM: &str = env!("CARGO_BIN_EXE_pbservice");

/// How long anything may take that works. Many times what it takes, also on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Pause between two looks.
const GLANCE: Duration = Duration::from_millis(20);

/// The servers, each with a directory of its own. They are killed when the test ends, however it
/// does.
pub struct Processes {
    root: TempDir,
    addresses: Vec<SocketAddr>,
    children: Vec<Option<Child>>,
}

/// What `pbservice status` says of a server that is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub address: SocketAddr,
    pub epoch: u64,
    /// `7@5`.
    pub version: String,
    pub primary: String,
    pub is_primary: bool,
}

impl Processes {
    /// Starts so many servers at ports that are free.
    pub fn start(servers: usize) -> Self {
        let processes = Self::stopped(servers);
        (0..servers).fold(processes, |mut processes, server| {
            processes.restart(server);
            processes
        })
    }

    /// Servers that have not been started.
    pub fn stopped(servers: usize) -> Self {
        let root = tempfile::Builder::new().prefix("pbservice-").tempdir();
        // All ports are held until all are known, so that they differ.
        let ports: Vec<TcpListener> = (0..servers)
            .map(|_| TcpListener::bind("127.0.0.1:0").expect("there is a free port"))
            .collect();
        let address = |port: &TcpListener| port.local_addr().expect("it is bound");
        Self {
            root: root.expect("temporary directories can be made"),
            addresses: ports.iter().map(address).collect(),
            children: (0..servers).map(|_| None).collect(),
        }
    }

    /// The address of a server.
    pub fn address(&self, server: usize) -> SocketAddr {
        self.addresses[server]
    }

    /// All addresses, as the program takes them.
    pub fn peers(&self) -> String {
        let text: Vec<String> = self.addresses.iter().map(ToString::to_string).collect();
        text.join(",")
    }

    /// The directory of a server.
    pub fn directory(&self, server: usize) -> PathBuf {
        self.root.path().join(format!("S{server}"))
    }

    /// Starts a server that is down.
    pub fn restart(&mut self, server: usize) {
        let mut command = self.server_command(server);
        let child = command.spawn().unwrap_or_else(|error| panic!("{PROGRAM}: {error}"));
        self.adopt(server, child);
    }

    /// Takes a process as a server that is down.
    pub fn adopt(&mut self, server: usize, child: Child) {
        if let Some(old) = self.children[server].replace(child) {
            end(old);
            panic!("server {server} is up already");
        }
    }

    /// Whether a server that was up has ended by itself.
    pub fn has_ended(&mut self, server: usize) -> bool {
        let child = self.children[server].as_mut().expect("the server was up");
        child.try_wait().expect("it is our child").is_some()
    }

    /// The command that runs a server.
    pub fn server_command(&self, server: usize) -> Command {
        self.server_with_peers(server, &self.peers())
    }

    /// The command that runs a server with this list of peers.
    pub fn server_with_peers(&self, server: usize, peers: &str) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(["server", "--listen", &self.address(server).to_string()]);
        command.args(["--peers", peers, "--data"]).arg(self.directory(server));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.env_remove("RUST_LOG").env_remove("PBSERVICE_PEERS");
        command
    }

    /// Kills a server, as `kill -9` does.
    pub fn kill(&mut self, server: usize) {
        end(self.children[server].take().expect("the server is up"));
    }

    /// Sends a signal to a server and returns how it ends, and what it says.
    pub fn end_with(&mut self, server: usize, signal: Signal) -> Output {
        let child = self.children[server].take().expect("the server is up");
        kill_process(Pid::from_child(&child), signal).expect("it is our child");
        end_of(child)
    }

    /// Waits until a server ends by itself; returns how, and what it says.
    pub fn await_end(&mut self, server: usize) -> Output {
        end_of(self.children[server].take().expect("the server was up"))
    }

    /// The servers that are up.
    pub fn up(&self) -> Vec<usize> {
        (0..self.children.len()).filter(|&server| self.children[server].is_some()).collect()
    }

    /// Runs a client's command to its end.
    pub fn client(&self, args: &[&str]) -> Output {
        self.client_that_prints_to(Stdio::piped(), args)
    }

    /// Runs a client's command that has this standard output.
    pub fn client_that_prints_to(&self, out: Stdio, args: &[&str]) -> Output {
        let mut command = Command::new(PROGRAM);
        command.args(args).env("PBSERVICE_PEERS", self.peers()).stdin(Stdio::null()).stdout(out);
        command.env_remove("RUST_LOG");
        command.output().unwrap_or_else(|error| panic!("{PROGRAM}: {error}"))
    }

    /// Runs a client's command, which must succeed, and returns what it prints. A client waits for
    /// as long as the tests do: the machine may be busy.
    pub fn ask(&self, args: &[&str]) -> String {
        let patience: &[&str] = match args[0] {
            "put" | "append" | "get" => &["--timeout", "60s"],
            _ => &[],
        };
        let output = self.client(&[&args[..1], patience, &args[1..]].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?} ended with {}: {said}", output.status);
        String::from_utf8(output.stdout).expect("values are text")
    }

    /// The value of a key, which must be there.
    pub fn get(&self, key: &str) -> String {
        let line = self.ask(&["get", key]);
        line.strip_suffix('\n').expect("the value is a line").to_string()
    }

    /// What the servers that are up say of themselves.
    pub fn status(&self) -> Vec<Line> {
        let output = self.client(&["status"]);
        let text = String::from_utf8(output.stdout).expect("a status is text");
        text.lines().filter_map(Line::parse).collect()
    }

    /// Waits until one of the servers that are up says that it is primary, and returns it.
    pub fn primary(&self) -> usize {
        let mut primary = None;
        wait_until("there is a primary", || {
            let lines = self.status();
            let latest = lines.iter().max_by_key(|line| (line.epoch, line.is_primary));
            let line = latest.filter(|line| line.is_primary);
            primary = line.and_then(|line| self.server_at(line.address));
            primary.is_some()
        });
        primary.expect("it was waited for")
    }

    /// The highest epoch of those that are up.
    pub fn highest_epoch(&self) -> u64 {
        self.status().iter().map(|line| line.epoch).max().expect("some server is up")
    }

    /// The server with this address.
    pub fn server_at(&self, address: SocketAddr) -> Option<usize> {
        self.addresses.iter().position(|&other| other == address)
    }

    /// Waits until the servers that are up have the same version.
    pub fn await_equal_versions(&self) {
        wait_until("all servers have the same version", || {
            let lines = self.status();
            lines.len() == self.up().len()
                && lines.iter().all(|line| line.version == lines[0].version)
        });
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        self.children.drain(..).flatten().for_each(end);
    }
}

impl Line {
    /// Reads a line; `None` if the server is down.
    fn parse(line: &str) -> Option<Self> {
        let field = |name: &str| {
            let mut fields = line.split(' ').filter_map(|field| field.split_once('='));
            fields.find_map(|(field, value)| (field == name).then_some(value))
        };
        let expected = |name: &str| field(name).unwrap_or_else(|| panic!("no {name} in {line:?}"));
        let address = expected("address").parse().expect("it is an address");
        if expected("up") != "true" {
            return None;
        }
        Some(Self {
            address,
            epoch: expected("epoch").parse().expect("an epoch is a number"),
            version: expected("version").to_string(),
            primary: expected("primary").to_string(),
            is_primary: expected("is_primary") == "true",
        })
    }
}

/// Kills a process, as `kill -9` does.
fn end(mut child: Child) {
    child.kill().ok(); // It may have ended.
    child.wait().ok();
}

/// Waits until a process ends. One that does not is killed: it must not outlive its test.
pub fn end_of(mut child: Child) -> Output {
    let began = Instant::now();
    while child.try_wait().expect("it is our child").is_none() {
        if began.elapsed() > LIMIT {
            end(child);
            panic!("waited in vain until the process ends");
        }
        sleep(GLANCE);
    }
    child.wait_with_output().expect("it has ended")
}

/// The one line that a process has written to standard error, without its end.
pub fn line(output: &Output) -> String {
    let said = String::from_utf8(output.stderr.clone()).expect("messages are text");
    let line = said.strip_suffix('\n').unwrap_or_else(|| panic!("no line: {said:?}"));
    assert!(!line.contains('\n'), "more than one line: {said}");
    line.to_string()
}

/// Waits until something is so.
pub fn wait_until(goal: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < LIMIT, "waited in vain until {goal}");
        sleep(GLANCE);
    }
}
