//! The wider table of labs on real processes.

use crate::{Row, check_rows, findings};

const PROCESSES: &[Row] = &[
    ("files", "use std::{env, fs::File, io::{self, Write}, path::PathBuf, process};", &[]),
    ("locks", "use std::sync::{Mutex, atomic::AtomicBool};", &[]),
    ("sockets", "use labrpc::socket::{self, Listener}; use std::net::SocketAddr;", &[]),
    ("version", "const V: &str = env!(\"CARGO_PKG_VERSION\");", &[]),
    ("thread", "fn f() { std::thread::spawn(|| {}); }", &["1 flagged std::thread::spawn"]),
    ("static", "static X: u8 = 1;", &["1 refused static X"]),
    ("HashMap", "use std::collections::HashMap;", &["1 flagged std::collections::HashMap"]),
    ("unsafe", "fn f() { unsafe {} }", &["1 refused unsafe"]),
    ("path", "#[path = \"x.rs\"] mod x;", &["1 refused #[path]"]),
    ("include", "const X: &str = include_str!(\"x\");", &["1 refused include_str!"]),
    ("simulation", "use labrpc::Simulation;", &["1 refused labrpc::Simulation"]),
    ("another crate", "use libc::fork;", &["1 refused libc::fork"]),
    ("forget", "use std::mem::forget;", &["1 refused std::mem::forget"]),
];

#[test]
fn processes() {
    check_rows("mapreduce", PROCESSES);
    for (name, code, expected) in PROCESSES {
        let found = findings("pbservice", &[("given/x.rs", code)]);
        let expected: Vec<String> =
            expected.iter().map(|line| format!("given/x.rs:{line}")).collect();
        assert_eq!(found, expected, "{name}");
    }
}

const SIMULATED_DISKS: &[Row] = &[
    (
        "addresses and disks",
        "use std::net::SocketAddr; use labrpc::Disk; fn f(disk: &Disk, _: SocketAddr) -> Disk { disk.sync(\"x\").ok(); Disk::new() }",
        &[],
    ),
    ("files", "fn f() { std::fs::write(\"x\", \"y\").ok(); }", &["1 refused std::fs::write"]),
    (
        "sockets",
        "use std::net::{TcpListener, UdpSocket};",
        &["1 refused std::net::TcpListener", "1 refused std::net::UdpSocket"],
    ),
    ("locks", "use std::sync::Mutex;", &["1 refused std::sync::Mutex"]),
    ("thread", "fn f() { std::thread::spawn(|| {}); }", &["1 refused std::thread::spawn"]),
    ("static", "static X: u8 = 1;", &["1 refused static X"]),
    ("program", "use signal_hook::flag;", &["1 refused signal_hook::flag"]),
    (
        "a directory as a disk",
        "use labrpc::Disk as D;\nfn f() { D::at(\"x\"); }\nfn g() { <(D)>::at(\"x\"); }",
        &["2 refused labrpc::Disk::at", "3 refused labrpc::Disk::at"],
    ),
    (
        "a directory as a disk, by Self",
        "trait A { fn a(); }\nimpl A for labrpc::Disk { fn a() { Self::at(\"x\"); } }",
        &["2 refused labrpc::Disk::at"],
    ),
    (
        "a directory as a disk, by another type",
        "trait A { type D; }\nfn f<T: A<D = labrpc::Disk>>() { <T as A>::D::at(\"x\"); T::D::at(\"x\"); }",
        &["2 refused at", "2 flagged at"],
    ),
    ("own function at", "struct A; impl A { fn at() { Self::at(); A::at(); } }", &[]),
];

#[test]
fn simulated_disks() {
    check_rows("pbservice", SIMULATED_DISKS);
}

#[test]
fn a_program_has_statics() {
    let main = ("main.rs", "static X: u8 = 1;");
    assert_eq!(findings("mapreduce", &[main]), [""; 0]);
    let found = findings("mapreduce", &[main, ("lib.rs", "mod main;")]);
    assert_eq!(found, ["main.rs:1 refused static X"]);
    let given = ("given/main.rs", "static X: u8 = 1;");
    assert_eq!(findings("pbservice", &[given, ("lib.rs", "mod given;")]), [""; 0]);
    assert_eq!(findings("pbservice", &[main]), ["main.rs:1 refused static X"]);
    assert_eq!(findings("raft", &[main]), ["main.rs:1 refused static X"]);
}
