//! Attacks on the machine that grades. The test of this package adds this file to the sources of a
//! submission; the name of the grading test chooses the attack. An attack that is stopped panics
//! with what has stopped it; if it succeeds, the text is "REACHED" with what it got.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Command;
use std::{env, fs, io};

/// What `Raft::new` does first in server 0.
pub fn attack(server: usize) {
    if server > 0 {
        return;
    }
    let arguments: Vec<String> = env::args().collect();
    let is = |test: &str| arguments.iter().any(|argument| argument.ends_with(test));
    if is("::initial_election_2a") {
        files()
    } else if is("::re_election_2a") {
        networks()
    } else if is("::many_elections_2a") {
        processes()
    } else if is("::split_votes_end_2a") {
        memory()
    } else if is("::half_elects_nobody_2a") {
        disk()
    } else if is("::leader_stays_2a") {
        flood()
    } else if is("::new_leader_is_left_alone_2a") {
        bomb()
    } else if is("::candidate_gives_way_2a") {
        daemon()
    } else if is("::replies_depose_leader_2a") {
        large_file()
    }
    panic!("it has no attack: {arguments:?}");
}

/// What an attack got, or what has stopped it.
fn outcome<T>(what: &str, result: io::Result<T>) -> String {
    match result {
        Ok(_) => format!("REACHED {what}"),
        Err(error) => format!("{what}: {:?}", error.kind()),
    }
}

fn end(outcomes: &[String]) -> ! {
    panic!("outcomes: {}", outcomes.join("; "));
}

fn files() -> ! {
    let home = env::var("HOME").unwrap_or_default();
    let mut outcomes = vec![
        outcome("/etc/passwd", fs::read("/etc/passwd")),
        outcome("solution", fs::read(SOURCE)),
        outcome("tree", fs::write("src/lib.rs", "")),
        outcome("builds", fs::write(env::args().next().unwrap_or_default(), "")),
        outcome("own memory", fs::OpenOptions::new().write(true).open("/proc/self/mem")),
        outcome("/dev/shm", fs::write("/dev/shm/grader-attack", "")),
        outcome("/var/tmp", fs::write("/var/tmp/grader-attack", "")),
    ];
    let secret = env::vars().find(|(name, _)| name == "GRADER_SECRET" || name == "CARGO");
    outcomes.push(outcome("environment", secret.ok_or(io::ErrorKind::NotFound.into())));
    // These must work.
    let inside = fs::write(format!("{home}/x"), "").and_then(|()| fs::read("../raft/Cargo.toml"));
    outcomes.push(outcome("own", inside));
    end(&outcomes)
}

fn networks() -> ! {
    // The launcher reads the recording, and must not follow this link.
    std::os::unix::fs::symlink(SOURCE, env::temp_dir().join("recording.jsonl")).ok();
    let loopback = TcpListener::bind("127.0.0.1:0").and_then(|listener| {
        let mut there = TcpStream::connect(listener.local_addr()?)?;
        there.write_all(b"x")?;
        listener.accept()?.0.read_exact(&mut [0])
    });
    let port = PORT.parse().unwrap_or(1);
    let outside = UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
        socket.connect("192.0.2.1:9")?;
        socket.send(b"x")
    });
    let path = env::temp_dir().join("socket");
    let unix = UnixListener::bind(&path).and_then(|_| UnixStream::connect(&path));
    end(&[
        outcome("loopback", loopback),
        outcome("a server of this machine", TcpStream::connect(("127.0.0.1", port))),
        outcome("UDP", outside),
        outcome("unix", unix),
    ])
}

fn processes() -> ! {
    let kill = |id: &str| match Command::new("/bin/kill").args(["-9", id]).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(_) => Err(io::ErrorKind::PermissionDenied.into()),
        Err(error) => Err(error),
    };
    let mut outcomes = vec![outcome("victim", kill(VICTIM))];
    let parent = std::os::unix::process::parent_id().to_string();
    outcomes.push(outcome("memory of the launcher", fs::read(format!("/proc/{parent}/mem"))));
    let before = fs::metadata(format!("/proc/{parent}")).is_ok();
    kill(&parent).ok();
    std::thread::sleep(std::time::Duration::from_millis(50));
    let after = std::os::unix::process::parent_id().to_string() == parent;
    outcomes.push(format!("launcher lives: {}", before && after));
    end(&outcomes)
}

fn memory() -> ! {
    let mut all = Vec::new();
    loop {
        all.push(vec![1_u8; 64 << 20]);
    }
}

fn disk() -> ! {
    let block = vec![1; 32 << 20];
    for number in 0.. {
        // A full disk does not end it.
        fs::write(env::temp_dir().join(format!("{number}")), &block).ok();
    }
    unreachable!()
}

fn large_file() -> ! {
    let mut file = fs::File::create(env::temp_dir().join("large")).expect("it can be created");
    loop {
        file.write_all(&[1; 1 << 20]).expect("it can be written");
    }
}

fn flood() -> ! {
    let line = "x".repeat(4096);
    loop {
        println!("{line}");
    }
}

fn bomb() -> ! {
    let mut command = Command::new("/proc/self/exe");
    command.args(env::args().skip(1));
    loop {
        command.spawn().ok();
        Command::new("/bin/sh").args(["-c", "f() { f | f & }; f"]).spawn().ok();
    }
}

fn daemon() -> ! {
    let daemon = "setsid sh -c 'sleep 987 & sleep 987' >/dev/null 2>&1 </dev/null &";
    let started = Command::new("/bin/sh").args(["-c", daemon]).status();
    end(&[outcome("daemon", started)])
}
