//! Limits that a server keeps: descriptors, connections, memory, threads, the table's size.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use labrpc::socket::{self, Address, Options};
use labrpc::{ClientEnd, encode, sleep};
use pbservice::{Clerk, MAX_OPERATION};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::processes::{Processes, line, wait_until};
use crate::{FAILED, USAGE};

/// Bytes that a table may have.
const MAX_TABLE: usize = 56 << 20;

/// What a server with a small table may take: MiB. Its documentation says 222 for one of 24 MiB.
const MAX_MEMORY: u64 = 256;

/// A client in this process.
fn clerk(servers: &Processes, count: usize) -> Clerk {
    let end = |server| -> ClientEnd {
        let address = Address::Tcp(servers.address(server).to_string());
        socket::connect(&address, Options::default())
    };
    Clerk::new((0..count).map(|server| (servers.address(server), end(server))).collect())
}

/// Starts a server under a limit of open files: arguments of `ulimit`. Returns its process id.
fn start_with_files(servers: &mut Processes, server: usize, files: &str) -> u32 {
    let inner = servers.server_command(server);
    let mut outer = Command::new("sh");
    outer.args(["-c", &format!("ulimit {files} && exec \"$0\" \"$@\"")]);
    outer.arg(inner.get_program()).args(inner.get_args()).args(["--snapshot-every", "5"]);
    outer.env_remove("RUST_LOG").env_remove("PBSERVICE_PEERS").stdout(Stdio::null());
    let child = outer.stdin(Stdio::null()).stderr(Stdio::piped()).spawn();
    let child = child.expect("there is a shell");
    let pid = child.id();
    servers.adopt(server, child);
    pid
}

/// With 64 open files, idle connections, and snapshots all the time, servers go on.
#[test]
fn few_open_files_and_idle_connections() {
    let mut servers = Processes::stopped(5);
    for server in 0..5 {
        start_with_files(&mut servers, server, "-n 64");
    }
    servers.ask(&["put", "x", "0"]);
    let addresses: Vec<_> = (0..5).map(|server| servers.address(server)).collect();
    let addresses = addresses.iter().cycle().take(5 * 100);
    let connections: Vec<_> = addresses.map(TcpStream::connect).collect();
    for round in 1..=20 {
        servers.ask(&["append", "x", &format!(" {round}")]);
    }
    assert!(servers.get("x").ends_with(" 19 20"));
    assert!((0..5).all(|server| !servers.has_ended(server)), "a server has ended");
    drop(connections);
    servers.await_equal_versions();
}

#[test]
fn too_few_open_files_are_refused() {
    let mut servers = Processes::stopped(5);
    start_with_files(&mut servers, 0, "-n 20");
    let output = servers.await_end(0);
    assert_eq!(output.status.code(), Some(USAGE), "{output:?}");
    let expected = "pbservice: a server of 5 needs 36 open files, but the limit is 20: raise it with \
                    'ulimit -n'";
    assert_eq!(line(&output), expected);
}

/// A limit that the server itself may raise is raised.
#[test]
fn soft_limit_of_open_files_is_raised() {
    let mut servers = Processes::stopped(1);
    start_with_files(&mut servers, 0, "-S -n 20");
    servers.ask(&["put", "x", "1"]);
    assert_eq!(servers.get("x"), "1");
}

/// A number from `/proc/PID/status`.
fn status(pid: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("it is there");
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().expect("it is a number")
}

/// All at once: 64 open files, two thousand connections that are idle, and a hundred on which the
/// longest value is asked for a hundred times and never read. The servers go on for others and for
/// each other, within their limit of memory.
#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "it reads /proc")]
fn crowd_at_servers_with_few_open_files() {
    const ROUNDS: usize = 10;
    /// Files that this process has open: one end of each connection, and some more.
    const FILES: u64 = 2_200;
    let limit = getrlimit(Resource::Nofile);
    if limit.maximum.is_some_and(|maximum| maximum < FILES) {
        // Not by `println`, which is shown only if a test fails.
        let why = format!("skipped: {FILES} open files are needed, the limit is {limit:?}");
        writeln!(io::stderr(), "crowd_at_servers_with_few_open_files {why}").ok();
        return;
    }
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).ok();
    let mut servers = Processes::stopped(5);
    let pids = [0, 1, 2, 3, 4].map(|server| start_with_files(&mut servers, server, "-n 64"));
    clerk(&servers, 5).put("large", &"x".repeat(MAX_OPERATION - "large".len()));
    let (mut connections, mut memory) = (Vec::new(), 0);
    for round in 1..=ROUNDS {
        let addresses = (0..5).map(|server| servers.address(server)).cycle();
        let idle = addresses.take(2_000 / ROUNDS).map(connect);
        connections.extend(idle);
        let primary = servers.address(servers.primary());
        connections.extend((0..100 / ROUNDS).map(|_| never_read(primary)));
        servers.ask(&["append", "x", &format!(" {round}")]);
        memory = pids.iter().map(|&pid| status(pid, "VmRSS") >> 10).fold(memory, u64::max);
    }
    println!("{} connections, {memory} MiB", connections.len());
    assert!(servers.get("x").ends_with(" 9 10"));
    servers.await_equal_versions();
    assert!((0..5).all(|server| !servers.has_ended(server)), "a server has ended");
    assert!(memory < MAX_MEMORY, "{memory} MiB");
}

/// A connection on which nothing is said.
fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).expect("it listens")
}

/// A connection with a hundred questions for the value of `large`, whose answers are not read.
fn never_read(address: SocketAddr) -> TcpStream {
    let body = [&7_u16.to_le_bytes()[..], b"Pb.Read", &encode(&"large".to_string())].concat();
    let length = (body.len() as u32).to_le_bytes();
    let calls = [b"LRPC", &length[..], &[1], &[0; 8], &body].concat().repeat(100);
    let mut stream = connect(address);
    stream.write_all(&calls).ok(); // A server without a place for it closes it.
    stream
}

/// Two hundred connections with a hundred calls each, for the longest value, whose replies are not
/// read, take a limited amount of memory and threads, and others are served. Afterwards the
/// threads end.
#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "it reads /proc")]
fn readers_that_never_read() {
    let mut servers = Processes::stopped(1);
    let child = servers.server_command(0).stderr(Stdio::null()).spawn();
    let child = child.expect("the program was built");
    let pid = child.id();
    servers.adopt(0, child);
    let mut clerk = clerk(&servers, 1);
    clerk.put("large", &"x".repeat(MAX_OPERATION - "large".len()));
    let connections: Vec<TcpStream> = (0..200).map(|_| never_read(servers.address(0))).collect();
    let (mut memory, mut threads) = (0, 0);
    for _ in 0..30 {
        sleep(Duration::from_millis(100));
        memory = memory.max(status(pid, "VmRSS") >> 10);
        threads = threads.max(status(pid, "Threads"));
    }
    clerk.put("small", "1");
    println!("{memory} MiB, {threads} threads");
    assert!(memory < MAX_MEMORY, "{memory} MiB");
    assert!(threads < 400, "{threads} threads");
    drop(connections);
    wait_until("the threads have ended", || status(pid, "Threads") < 30);
}

/// What does not fit any more is refused before it is acknowledged. All that was acknowledged can
/// be read, and a server that has lost it is repaired.
#[test]
fn table_that_is_full() {
    let mut servers = Processes::start(3);
    let mut client = clerk(&servers, 3);
    let value = "x".repeat(1 << 19);
    let count = MAX_TABLE / value.len() - 1;
    (0..count).for_each(|key| client.put(&format!("key {key}"), &value));
    let chunk = "y".repeat(100_000);
    let refused = (0..10).find_map(|_| {
        let output = servers.client(&["append", "--timeout", "60s", "last", &chunk]);
        (!output.status.success()).then_some(output)
    });
    let refused = refused.expect("the table is full");
    assert_eq!(refused.status.code(), Some(FAILED), "{refused:?}");
    let expected = "pbservice: the table is full, at 58720256 bytes; it may have been done, or may \
                    still be";
    assert_eq!(line(&refused), expected);
    let emptied = (servers.primary() + 1) % 3;
    servers.kill(emptied);
    fs::remove_dir_all(servers.directory(emptied)).expect("the directory is ours");
    servers.restart(emptied);
    servers.await_equal_versions();
    assert!((0..count).all(|key| client.get(&format!("key {key}")).as_ref() == Some(&value)));
}

/// A message that cannot be written is lost, and nothing else.
#[test]
fn standard_error_that_is_full() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let full =
        || Stdio::from(OpenOptions::new().write(true).open("/dev/full").expect("it is there"));
    let mut servers = Processes::stopped(2);
    let code = |mut command: Command| command.stderr(full()).status().expect("it runs").code();
    let mut wrong = Command::new(servers.server_command(0).get_program());
    wrong.args(["get", "--peers", "nonsense", "x"]);
    assert_eq!(code(wrong), Some(USAGE));
    let mut unused = servers.server_command(0);
    let file = servers.directory(0).with_extension("file");
    File::create(&file).expect("the directory is ours");
    unused.arg("--data").arg(&file);
    assert_eq!(code(unused), Some(USAGE));
    for server in 0..2 {
        let child = servers.server_command(server).stderr(full()).spawn();
        servers.adopt(server, child.expect("the program was built"));
    }
    servers.ask(&["put", "x", "1"]);
    let mut foreign = TcpStream::connect(servers.address(0)).expect("it listens");
    foreign.write_all(b"GET / HTTP/1.1\r\n\r\n").expect("it is taken");
    assert_eq!(servers.get("x"), "1");
    assert!((0..2).all(|server| !servers.has_ended(server)), "a server has ended");
}
