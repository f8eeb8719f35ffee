//! The program `pbservice`: a server, its clients, and a look at logs.

mod arguments;
mod open_files;

use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use labrpc::socket::{self, Address, Limits, Options};
use labrpc::{ClientEnd, Disk, Server, bounded, sleep, spawn};
use pbservice::{Clerk, Config, PbServer, SNAPSHOT_EVERY, Status, print_logs};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::arguments::{Peers, parse_address, parse_peers, parse_time};

/// Exit code: there is no such key, the table is full, the logs differ, or the server must not go on.
const FAILED: u8 = 1;
/// Exit code: no primary has served a client in time, or no server tells its status.
const TIMED_OUT: u8 = 2;
/// Exit code: wrong usage, or the system refuses what is needed.
const USAGE: u8 = 5;

/// How often a server that runs looks whether it was interrupted, or its disk has failed.
const GLANCE: Duration = Duration::from_millis(100);
/// How long `status` waits for a server.
const STATUS_TIMEOUT: Duration = Duration::from_secs(1);
/// What callers may take, see the crate's documentation on memory. A record, a value or a piece of a
/// snapshot has at most 1 MiB; a solution may send a snapshot as a whole.
const LIMITS: Limits = Limits {
    max_message: 16 << 20,
    message_time: Duration::from_secs(10),
    max_calls: 256,
    max_unsent: 1 << 20,
    max_handlers: 32,
    max_connections: 96,
    grace: Duration::from_secs(1),
};

#[derive(Parser)]
#[command(about = "A key/value service on several servers, one of which is primary.\n\n\
    Exit codes: 0 done, 1 no such key, or a table that is full, or logs that differ, or a server that\n\
    must not go on, because its disk fails or an invariant is broken, 2 no primary has served this in time, or no server\n\
    answers, 5 wrong usage, or something that cannot be used.")]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs a server until it is interrupted
    #[command(after_help = DIRECTORY)]
    Server(ServerArgs),
    /// Sets the value of a key
    Put {
        #[command(flatten)]
        servers: Servers,
        #[command(flatten)]
        patience: Patience,
        /// The key
        key: String,
        /// Its new value
        value: String,
    },
    /// Appends to the value of a key
    Append {
        #[command(flatten)]
        servers: Servers,
        #[command(flatten)]
        patience: Patience,
        /// The key
        key: String,
        /// What is appended
        value: String,
    },
    /// Prints the value of a key
    Get {
        #[command(flatten)]
        servers: Servers,
        #[command(flatten)]
        patience: Patience,
        /// The key
        key: String,
    },
    /// Prints a line for each server
    Status {
        #[command(flatten)]
        servers: Servers,
    },
    /// Prints the log in a server's directory, or where two logs differ
    Log {
        /// The directory of a server
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        /// The directory of another server
        #[arg(value_name = "OTHER_DIR")]
        other: Option<PathBuf>,
    },
}

/// How a server is run.
#[derive(Args)]
struct ServerArgs {
    /// Its own address, one of the peers
    #[arg(long, value_name = "IP:PORT", value_parser = parse_address)]
    listen: SocketAddr,
    #[command(flatten)]
    servers: Servers,
    /// Directory of its log and snapshot, which is made if it is missing
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The server has never run before, and counts at once; its directory must be empty
    #[arg(long)]
    new: bool,
    /// Take a snapshot after this number of records
    #[arg(long, value_name = "N", default_value_t = SNAPSHOT_EVERY, value_parser = clap::value_parser!(u64).range(1..))]
    snapshot_every: u64,
}

/// What an operator has to know of a server's directory.
const DIRECTORY: &str = "\
The directory says which server it belongs to, which servers there are, and whether the server may
count. A server does not start in the directory of another one, or with another list of peers.

A server with an empty directory does not count until a primary has sent it everything, until all
other servers say that they are new too, or if --new says that it has never run before.

You may, while the server is stopped:
  - move the directory, or copy all of it and use only the copy from then on;
  - empty the directory. As long as a majority of the others is sound, they repair the server.
Never:
  - put an older copy in its place. The server forgets what it has acknowledged and promised since,
    and does not know that. Empty the directory instead.
  - say --new of a server that has run before;
  - empty the directories of half of the servers or more.
What cannot be found out: that a directory is an older copy, as long as no other server that is up
has other records. When one has, a server ends with exit code 1 and says so. What was acknowledged
may be lost by then.";

/// Which servers there are.
#[derive(Args)]
struct Servers {
    /// Addresses of all servers, with commas between them
    #[arg(long, value_name = "LIST", env = "PBSERVICE_PEERS", value_parser = parse_peers)]
    peers: Peers,
}

/// How long a client waits.
#[derive(Args)]
struct Patience {
    /// Give up after this time: 10s, 500ms, 2m
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_time)]
    timeout: Duration,
}

fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn"))
        .format(|out, record| writeln!(out, "pbservice: {}", record.args()))
        .init();
    let command = match CommandLine::try_parse() {
        Ok(line) => line.command,
        Err(error) if error.kind() == clap::error::ErrorKind::ValueValidation => {
            let text = error.to_string(); // What is wrong, an empty line, and where help is.
            say(text.split("\n\n").next().unwrap_or(&text));
            return ExitCode::from(USAGE);
        }
        Err(error) => {
            error.print().ok(); // Standard error may be closed.
            return if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Problem { code, text }) => {
            if !text.is_empty() {
                say(&format!("pbservice: {text}"));
            }
            ExitCode::from(code)
        }
    }
}

/// Writes a line to standard error. It may be closed, or a file on a full disk.
fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").ok();
}

/// Why the program does not end well. The text is empty if it has been said already.
struct Problem {
    code: u8,
    text: String,
}

impl Problem {
    fn new(code: u8, text: impl ToString) -> Self {
        Self { code, text: text.to_string() }
    }
}

/// Does what was asked for.
fn run(command: Command) -> Result<(), Problem> {
    match command {
        Command::Server(args) => serve(&args),
        Command::Put { servers, patience, key, value } => {
            in_time(servers, patience, MAY_BE_DONE, move |clerk| clerk.put(&key, &value))
        }
        Command::Append { servers, patience, key, value } => {
            in_time(servers, patience, MAY_BE_DONE, move |clerk| clerk.append(&key, &value))
        }
        Command::Get { servers, patience, key } => {
            let wanted = key.clone();
            let value = in_time(servers, patience, "", move |clerk| clerk.get(&wanted))?;
            let value = value.ok_or_else(|| Problem::new(FAILED, format!("no such key: {key}")))?;
            print(format!("{value}\n").as_bytes())
        }
        Command::Status { servers } => print_status(&servers.peers),
        Command::Log { directory, other } => {
            let mut table = Vec::new();
            let is_same = print_logs(&directory, other.as_deref(), &mut table)
                .map_err(|error| Problem::new(USAGE, error))?;
            print(&table)?;
            // The differences have been printed.
            if is_same { Ok(()) } else { Err(Problem::new(FAILED, "")) }
        }
    }
}

/// From now on a panic in any task ends a client, with its reason in one line.
fn end_client_on_panic(warning: &'static str) {
    std::panic::set_hook(Box::new(move |panic| {
        let reason = panic.payload_as_str().unwrap_or("a panic without a reason");
        say(&format!("pbservice: {reason}{warning}"));
        std::process::exit(FAILED.into());
    }));
}

/// Runs a server until a signal comes or its disk fails.
fn serve(args: &ServerArgs) -> Result<(), Problem> {
    let usage = |text: String| Problem::new(USAGE, text);
    let ServerArgs { listen, servers: Servers { peers }, data, new, snapshot_every } = args;
    if !peers.contains(listen) {
        return Err(usage(format!("{listen} is not among the peers: it must be one of them")));
    }
    let max_connections =
        open_files::connections(peers.len(), LIMITS.max_connections).map_err(usage)?;
    end_on_panic();
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).map_err(|e| usage(e.to_string()))?;
    }

    // The port comes first: where a server listens, its files must not be touched.
    drop(std::net::TcpListener::bind(listen).map_err(|e| cannot_listen(*listen, &e))?);
    let in_directory = |problem: String| usage(format!("{}: {problem}", data.display()));
    let disk = Disk::at(data).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => in_directory("it is not a directory".to_string()),
        _ => in_directory(error.to_string()),
    })?;
    // Two servers that append to one log would destroy it. The lock ends with the process.
    let directory = File::open(data).map_err(|error| in_directory(error.to_string()))?;
    directory.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => in_directory("another server uses it".to_string()),
        TryLockError::Error(error) => in_directory(error.to_string()),
    })?;
    let options = Options {
        connect_timeout: Duration::from_millis(500),
        call_timeout: LIMITS.message_time,
        limits: LIMITS,
    };
    let peers = peers.iter().map(|&peer| (peer, end(peer, options))).collect();
    let (snapshot_every, is_new) = (*snapshot_every, *new);
    let config = Config { address: *listen, peers, snapshot_every, is_new };
    let server = PbServer::start(config, disk).map_err(|error| in_directory(error.to_string()))?;
    let services = Server::new().with(server.service());
    let limits = Limits { max_connections, ..LIMITS };
    let listener = socket::listen_with(&tcp(*listen), services, limits)
        .map_err(|error| cannot_listen(*listen, &error))?;

    let result = loop {
        if stop.load(Relaxed) {
            break Ok(());
        }
        if server.failure().is_some() {
            break Err(Problem::new(FAILED, "")); // The server has said why.
        }
        sleep(GLANCE);
    };
    server.stop();
    listener.shutdown();
    result
}

/// From now on a panic in any task ends the process, with its reason in one line: after a broken
/// invariant, nothing that the server knows can be trusted. What it has acknowledged is on its disk.
fn end_on_panic() {
    static ENDS: AtomicBool = AtomicBool::new(false);
    std::panic::set_hook(Box::new(|panic| {
        if ENDS.swap(true, Relaxed) {
            return; // Another task ends the process.
        }
        let reason = panic.payload_as_str().unwrap_or("a panic without a reason");
        let place = panic.location().map(|place| format!(" ({place})")).unwrap_or_default();
        say(&format!("pbservice: this server must not go on: {reason}{place}"));
        std::process::exit(FAILED.into());
    }));
}

/// The system refuses a port.
fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> Problem {
    Problem::new(USAGE, format!("cannot listen at {address}: {error}"))
}

/// An address as the sockets know it.
fn tcp(address: SocketAddr) -> Address {
    Address::Tcp(address.to_string())
}

/// A way to a server.
fn end(address: SocketAddr, options: Options) -> ClientEnd {
    socket::connect(&tcp(address), options)
}

/// What else is to be said of a change that was not confirmed in time.
const MAY_BE_DONE: &str = "; it may have been done, or may still be";

/// Lets a client work, for as long as its user wants to wait. Each such client is a new one: if its
/// user repeats a command that was not confirmed, that is another operation.
fn in_time<T: Send + 'static>(
    servers: Servers,
    patience: Patience,
    warning: &'static str,
    work: impl FnOnce(&mut Clerk) -> T + Send + 'static,
) -> Result<T, Problem> {
    end_client_on_panic(warning);
    let timeout = patience.timeout;
    let options = Options {
        connect_timeout: timeout.min(Duration::from_millis(500)),
        call_timeout: timeout.min(Duration::from_secs(2)),
        limits: LIMITS,
    };
    let ends = servers.peers.iter().map(|&peer| (peer, end(peer, options))).collect();
    let (sender, result) = bounded(1);
    spawn(move || {
        let result = work(&mut Clerk::new(ends));
        sender.send(result).ok(); // Fails if the time is over.
    });
    result.recv_timeout(timeout).map_err(|_| {
        let text =
            format!("no primary among these servers has served this within {timeout:?}{warning}");
        Problem::new(TIMED_OUT, text)
    })
}

/// Prints what each server says of itself.
fn print_status(peers: &Peers) -> Result<(), Problem> {
    let options =
        Options { connect_timeout: STATUS_TIMEOUT, call_timeout: STATUS_TIMEOUT, limits: LIMITS };
    let ask = |&peer: &SocketAddr| (peer, spawn(move || Status::ask(&end(peer, options)).ok()));
    let asked: Vec<_> = peers.iter().map(ask).collect();
    let mut answered = 0;
    for (peer, status) in asked {
        let line = match status.join().ok().flatten() {
            Some(status) => {
                answered += 1;
                status.to_string()
            }
            None => format!("address={peer} up=false"),
        };
        print(format!("{line}\n").as_bytes())?;
    }
    if answered > 0 { Ok(()) } else { Err(Problem::new(TIMED_OUT, "no server answers")) }
}

/// Writes to standard output. A reader that has gone, such as `head`, is not a problem.
fn print(text: &[u8]) -> Result<(), Problem> {
    match std::io::stdout().lock().write_all(text) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Problem::new(USAGE, format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}
