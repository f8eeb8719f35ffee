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
    check_rows("pbservice", PROCESSES);
}

#[test]
fn a_program_has_statics() {
    let main = ("main.rs", "static X: u8 = 1;");
    assert_eq!(findings("pbservice", &[main]), [""; 0]);
    let found = findings("pbservice", &[main, ("lib.rs", "mod main;")]);
    assert_eq!(found, ["main.rs:1 refused static X"]);
    let given = ("given/main.rs", "static X: u8 = 1;");
    assert_eq!(findings("pbservice", &[given, ("lib.rs", "mod given;")]), [""; 0]);
    assert_eq!(findings("raft", &[main]), ["main.rs:1 refused static X"]);
}
