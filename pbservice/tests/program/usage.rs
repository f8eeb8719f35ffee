//! Wrong usage, and a world that does not play along: one clear line each, and nothing is damaged.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use rustix::process::Signal;

use crate::processes::{Processes, end_of, line, wait_until};

/// Exit code: wrong usage, or something cannot be used.
const USAGE: i32 = 5;

/// Runs a server's command, which must fail.
fn fail(servers: &Processes, server: usize) -> String {
    let child = servers.server_command(server).spawn().expect("the program is there");
    let output = end_of(child);
    assert_eq!(output.status.code(), Some(USAGE), "{}", String::from_utf8_lossy(&output.stderr));
    line(&output)
}

/// The contents of a server's files.
fn files(servers: &Processes, server: usize) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(servers.directory(server)).expect("it is there").flatten();
    let mut files: Vec<(String, Vec<u8>)> = entries
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, fs::read(entry.path()).expect("it can be read"))
        })
        .collect();
    files.sort();
    files
}

/// Mistakes on the command line are explained.
#[test]
fn mistakes_are_explained() {
    let servers = Processes::stopped(1);
    let peers = servers.peers();
    for (args, problem) in [
        (&["put", "--peers", "here", "x", "1"][..], "'here' is not an IP:PORT"),
        (&["put", "--peers", "127.0.0.1", "x", "1"], "'127.0.0.1' is not an IP:PORT"),
        (&["put", "--peers", "127.0.0.1:1,,", "x", "1"], "'' is not an IP:PORT"),
        (&["put", "--peers", "127.0.0.1:1,127.0.0.1:1", "x", "1"], "127.0.0.1:1 is listed twice"),
        (&["get", "--timeout", "soon", "x"], "give a number, and ms, s or m"),
        (&["get", "--timeout", "3h", "x"], "'h' is not a unit"),
        (&["get"], "<KEY>"),
        (&["put", "x"], "<VALUE>"),
        (&["steal", "x"], "unrecognized subcommand"),
        (
            &["server", "--listen", "127.0.0.1:1", "--peers", &peers, "--data", "/nowhere"],
            "not among the peers",
        ),
        (&["log", "/nowhere at all"], "there is no directory /nowhere at all"),
    ] {
        let output = servers.client(args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(USAGE), "{args:?}: {said}");
        assert!(said.contains(problem), "{args:?}: {said}");
    }
    for args in [&["--help"][..], &["server", "--help"], &["put", "--help"]] {
        servers.ask(args);
    }
}

/// Values that are of no use are refused, in one line.
#[test]
fn values_that_are_refused() {
    let servers = Processes::stopped(1);
    let data = servers.directory(0).display().to_string();
    let (good, zero) = ("127.0.0.1:1", "127.0.0.1:0");
    let both = format!("{good}, {zero}");
    let no_port = "port 0 is not allowed: peers must know the port";
    for (args, option, problem) in [
        (&["server", "--listen", zero, "--peers", good, "--data", &data][..], "--listen", no_port),
        (&["server", "--listen", good, "--peers", &both, "--data", &data], "--peers", no_port),
        (&["get", "--peers", zero, "x"], "--peers", no_port),
        (&["status", "--peers", &both], "--peers", no_port),
        (&["get", "--timeout", "0s", "x"], "--timeout", "the time must be longer than zero"),
        (&["put", "--timeout", "0", "x", "1"], "--timeout", "the time must be longer than zero"),
    ] {
        let output = servers.client(args);
        assert_eq!(output.status.code(), Some(USAGE), "{args:?}: {output:?}");
        let said = line(&output);
        assert!(said.contains(option) && said.contains(problem), "{args:?}: {said}");
    }
    assert!(!servers.directory(0).exists(), "nothing was touched");
}

/// Where another program listens, a server does not start, and does not touch its files.
#[test]
fn port_in_use() {
    let servers = Processes::stopped(1);
    let _other = TcpListener::bind(servers.address(0)).expect("the port was free");
    let said = fail(&servers, 0);
    assert!(said.contains(&format!("cannot listen at {}", servers.address(0))), "{said}");
    assert!(!servers.directory(0).exists(), "nothing was touched");
}

/// A server that was started with another list of peers is ignored, and that is said.
#[test]
fn other_peers() {
    let mut servers = Processes::stopped(3);
    let said = servers.directory(1).with_extension("said");
    let file = fs::File::create(&said).expect("the directory is ours");
    let mut command = servers.server_command(1);
    let child = command.arg("--new").stderr(file).spawn().expect("the program was built");
    servers.adopt(1, child);
    let child = servers.server_command(2).arg("--new").spawn().expect("the program was built");
    servers.adopt(2, child);
    servers.ask(&["put", "x", "1"]);
    let two = format!("{},{}", servers.address(0), servers.address(1));
    let child = servers.server_with_peers(0, &two).spawn().expect("the program was built");
    servers.adopt(0, child);
    let (me, other) = (servers.address(1), servers.address(0));
    let expected = format!("pbservice: {me} ignores {other}, which has another list of servers\n");
    wait_until("the server has said so", || {
        fs::read_to_string(&said).is_ok_and(|said| said.contains(&expected))
    });
    assert_eq!(servers.get("x"), "1");
}

/// A server that is stopped marks its log, so that it notices if the last record rots.
#[test]
fn rot_after_a_stop() {
    let mut servers = Processes::start(1);
    servers.ask(&["put", "x", "rotten"]);
    servers.end_with(0, Signal::TERM);
    let log = servers.directory(0).join("log");
    let mut bytes = fs::read(&log).expect("the log is there");
    let value = bytes.windows(6).rposition(|bytes| bytes == b"rotten").expect("it is in the log");
    bytes[value] ^= 1;
    fs::write(&log, bytes).expect("the log can be written");
    servers.restart(0);
    wait_until("the server is up", || !servers.status().is_empty());
    assert_eq!(servers.status()[0].version, "damaged");
}

/// A second server with the first one's address and directory does no harm to it.
#[test]
fn server_started_twice() {
    let servers = Processes::start(1);
    servers.ask(&["put", "x", "1"]);
    let before = files(&servers, 0);
    let said = fail(&servers, 0);
    assert!(said.contains("cannot listen at"), "{said}");
    // The first one may have written meanwhile, but only at the end of its log.
    let after = files(&servers, 0);
    let names = |files: &[(String, Vec<u8>)]| -> Vec<String> {
        files.iter().map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(names(&after), names(&before));
    for ((name, before), (_, after)) in before.iter().zip(&after) {
        assert!(after.starts_with(before), "{name} was changed");
    }
    assert_eq!(servers.get("x"), "1");
}

/// A directory in which another process works is refused, and stays as it is.
#[test]
fn directory_in_use() {
    let servers = Processes::start(1);
    servers.ask(&["put", "x", "1"]);
    let other = Processes::stopped(1);
    std::os::unix::fs::symlink(servers.directory(0), other.directory(0)).expect("it is new");
    let before = files(&servers, 0);
    let said = fail(&other, 0);
    assert!(said.contains("another server uses it"), "{said}");
    assert_eq!(files(&servers, 0), before);
    assert_eq!(servers.get("x"), "1");
}

/// The directory of another server is refused, and stays as it is.
#[test]
fn foreign_directory() {
    let mut servers = Processes::start(1);
    servers.ask(&["put", "x", "1"]);
    servers.kill(0);
    let other = Processes::stopped(1);
    fs::rename(servers.directory(0), other.directory(0)).expect("it is there");
    let before = files(&other, 0);
    let said = fail(&other, 0);
    assert!(said.contains(&format!("belongs to the server {}", servers.address(0))), "{said}");
    assert_eq!(files(&other, 0), before);
}

/// A log that a newer program has written is refused, and stays as it is.
#[test]
fn newer_format() {
    let mut servers = Processes::start(1);
    servers.ask(&["put", "x", "1"]);
    servers.kill(0);
    let path = servers.directory(0).join("log");
    let mut log = fs::read(&path).expect("it is there");
    // The header as `storage/format.rs` describes it: after the magic come the version of the
    // format, the length of the address, and the checksum of all but itself.
    log[8] += 1;
    let address = usize::from(log[12]);
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&log[..16]);
    hasher.update(&log[20..20 + address]);
    log[16..20].copy_from_slice(&hasher.finalize().to_le_bytes());
    fs::write(&path, log).expect("it is ours");
    let before = files(&servers, 0);
    let said = fail(&servers, 0);
    assert!(said.contains("format version 3"), "{said}");
    assert_eq!(files(&servers, 0), before);
}

/// A directory that is a file.
#[test]
fn directory_that_is_a_file() {
    let servers = Processes::stopped(1);
    fs::write(servers.directory(0), "mine").expect("the directory is ours");
    let said = fail(&servers, 0);
    let path = servers.directory(0).display().to_string();
    assert_eq!(said, format!("pbservice: {path}: it is not a directory"));
    assert_eq!(fs::read_to_string(servers.directory(0)).expect("it is there"), "mine");
}

/// Whatever is wrong with a directory, `log` names it: one of two may be meant.
#[test]
fn log_names_the_directory() {
    let mut servers = Processes::start(1);
    servers.ask(&["put", "x", "1"]);
    servers.kill(0);
    let good = servers.directory(0);
    let other = Processes::stopped(1);
    let bad = other.directory(0);
    let check = |problem: &str| {
        let [good, bad] = [&good, &bad].map(|directory| directory.display().to_string());
        for args in [&["log", &bad][..], &["log", &good, &bad], &["log", &bad, &good]] {
            let output = other.client(args);
            assert_eq!(output.status.code(), Some(USAGE), "{args:?}: {output:?}");
            assert_eq!(output.stdout, b"");
            let said = line(&output);
            assert!(said.contains(&bad) && said.contains(problem), "{args:?}: {said}");
        }
    };
    check("there is no directory");
    fs::write(&bad, "mine").expect("the directory is ours");
    check("it is not a directory");
    fs::remove_file(&bad).expect("it is there");
    fs::create_dir(&bad).expect("the directory is ours");
    check("it holds no server's log");
    fs::write(bad.join("notes"), "mine").expect("the directory is ours");
    check("it holds no server's log");
    fs::write(bad.join("log"), "mine").expect("the directory is ours");
    check("the header is not that of a log");
    fs::remove_file(bad.join("log")).expect("it is there");
    // What nobody can read, not even the superuser: a directory instead of the file.
    fs::create_dir_all(bad.join("log")).expect("the directory is ours");
    check("cannot read the file \"log\"");
    // The superuser reads this one, and finds that it is of no use.
    fs::set_permissions(&bad, Permissions::from_mode(0o000)).expect("the directory is ours");
    check("");
    fs::set_permissions(&bad, Permissions::from_mode(0o700)).expect("the directory is ours");
}

/// Every command says so when it cannot print. A reader that has gone is no problem.
#[test]
#[cfg(target_os = "linux")] // Others have no such device.
fn full_standard_output() {
    let servers = Processes::start(1);
    servers.ask(&["put", "x", "1"]);
    let directory = servers.directory(0).display().to_string();
    for args in [&["get", "--timeout", "60s", "x"][..], &["status"], &["log", &directory]] {
        let full = fs::File::options().write(true).open("/dev/full").expect("Linux has it");
        let output = servers.client_that_prints_to(full.into(), args);
        assert_eq!(output.status.code(), Some(USAGE), "{args:?}: {output:?}");
        let said = line(&output);
        assert!(said.starts_with("pbservice: standard output: "), "{args:?}: {said}");

        let (reader, writer) = std::io::pipe().expect("there is room for a pipe");
        drop(reader);
        let output = servers.client_that_prints_to(writer.into(), args);
        assert!(output.status.success(), "{args:?}: {output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    }
}

/// A disk that is full stops the server with one line. What was acknowledged is there when there is
/// room again. A limit on the size of files stands for the full disk.
#[test]
fn full_disk() {
    let mut servers = Processes::stopped(1);
    let limited = |servers: &Processes| {
        let mut command = std::process::Command::new("sh");
        // Blocks of 512 bytes; the signal would kill the server before it hears of the error.
        command.args(["-c", "trap '' XFSZ; ulimit -f 40; exec \"$0\" \"$@\""]);
        let plain = servers.server_command(0);
        command.arg(plain.get_program()).args(plain.get_args());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.env_remove("RUST_LOG").spawn().expect("there is a shell")
    };
    servers.adopt(0, limited(&servers));
    let mut acknowledged = 0;
    let value = "v".repeat(1_000);
    wait_until("the disk is full", || {
        let key = acknowledged.to_string();
        if servers.client(&["put", "--timeout", "2s", &key, &value]).status.success() {
            acknowledged += 1;
        }
        servers.has_ended(0)
    });
    let output = servers.await_end(0);
    assert_eq!(output.status.code(), Some(1));
    let said = line(&output);
    assert!(said.contains("stops its service"), "{said}");
    assert!(acknowledged > 0);

    servers.restart(0);
    for key in 0..acknowledged {
        assert_eq!(servers.get(&key.to_string()), value, "of {acknowledged} keys, {key} is gone");
    }
}

/// Ctrl-C and SIGTERM end a server well, and it says nothing.
#[test]
fn signals_end_a_server() {
    let mut servers = Processes::start(1);
    for signal in [Signal::INT, Signal::TERM] {
        servers.ask(&["append", "x", "1"]);
        let output = servers.end_with(0, signal);
        assert!(output.status.success(), "{:?}: {}", signal, output.status);
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        servers.restart(0);
    }
    assert_eq!(servers.get("x"), "11");
}
