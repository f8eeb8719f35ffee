//! Paths and imports in simulated labs.

use crate::{Row, check_rows};

const WHAT_IS_ALLOWED: &[Row] = &[
    ("collections", "use std::collections::{BTreeMap, BTreeSet, VecDeque, btree_map::Entry};", &[]),
    ("Arc", "use std::sync::Arc; fn f() { let _ = Arc::new(1); }", &[]),
    ("module of Arc", "use std::sync; fn f(_: sync::Arc<u8>) {}", &[]),
    ("Weak by path", "fn f(_: std::sync::Weak<u8>) {}", &[]),
    ("Duration", "use std::time::Duration; const T: Duration = Duration::from_millis(1);", &[]),
    ("fmt", "use std::fmt::{self, *}; fn f(_: &mut fmt::Formatter<'_>) {}", &[]),
    ("core", "use core::cmp::Reverse; fn f() -> u8 { core::mem::take(&mut 1) }", &[]),
    ("labrpc", "use labrpc::{ClientEnd, Mutex, spawn}; fn f() { spawn(|| {}); }", &[]),
    ("labrpc's map", "use labrpc::HashMap; fn f() { let _ = HashMap::<u8, u8>::new(); }", &[]),
    (
        "log",
        "use log::info; fn f() { info!(target: \"VOTE\", \"{}\", 1); log::warn!(\"x\"); }",
        &[],
    ),
    (
        "log in a module log",
        "mod log { pub struct Log; } use crate::log::Log; use ::log::info;",
        &[],
    ),
    ("a macro named as its crate", "use log::log; fn f() {}", &["1 flagged log::log"]),
    ("rand", "use rand::{Rng, RngExt as _}; fn f() { labrpc::rng().random_range(1..2); }", &[]),
    (
        "serde",
        "use serde::{Deserialize, Serialize}; #[derive(Serialize, Deserialize)] struct A;",
        &[],
    ),
    ("the lab below", "use raft::{ApplyMsg, Raft}; fn f(_: raft::Index) {}", &[]),
    ("the crate itself", "pub struct A; fn f(_: shardkv::A, _: crate::A, _: self::A) {}", &[]),
    ("own spawn", "mod thread { pub fn spawn() {} } fn f() { thread::spawn(); }", &[]),
    (
        "own Mutex",
        "struct Mutex; impl Mutex { fn new() -> Self { Mutex } } fn f() { Mutex::new(); }",
        &[],
    ),
    ("own enum", "enum Role { Leader } use Role::Leader; fn f() -> Role { Leader }", &[]),
    ("enum by glob", "enum Role { A } fn f() { use Role::*; let _ = A; let _ = Role::A; }", &[]),
    ("generic parameter", "fn f<T: Default>() -> T { T::default() }", &[]),
    (
        "primitive type",
        "const N: u64 = u64::MAX; fn f() -> u8 { <u8>::MIN + u8::from_str_radix(\"1\", 2).unwrap_or(0) }",
        &[],
    ),
    ("prelude", "fn f() { let _ = (Vec::<u8>::new(), Box::new(1), String::from(\"x\")); }", &[]),
    ("super", "struct A; mod b { use super::*; fn f(_: A, _: super::A) {} }", &[]),
    ("method spawn", "fn f(x: &X) { x.spawn(); x.lock().sleep(); }", &[]),
    ("printing", "fn f() { println!(\"{}\", 1); eprintln!(\"x\"); dbg!(1); }", &[]),
];

#[test]
fn what_is_allowed() {
    check_rows("shardkv", WHAT_IS_ALLOWED);
}

const WHAT_IS_REFUSED_BY_ITS_FULL_PATH: &[Row] = &[
    ("thread", "fn f() {\n std::thread::spawn(|| {});\n}", &["2 refused std::thread::spawn"]),
    (
        "leading colons",
        "fn f() { ::std::thread::spawn(|| {}); }",
        &["1 refused std::thread::spawn"],
    ),
    (
        "spaces and comments",
        "fn f() { std :: /* */ thread\n::spawn(|| {}); }",
        &["1 refused std::thread::spawn"],
    ),
    ("raw names", "fn f() { r#std::r#thread::spawn(|| {}); }", &["1 refused std::thread::spawn"]),
    ("Instant", "fn f() { std::time::Instant::now(); }", &["1 refused std::time::Instant::now"]),
    ("SystemTime", "use std::time::SystemTime;", &["1 refused std::time::SystemTime"]),
    ("Mutex", "use std::sync::Mutex; fn f() { Mutex::new(1); }", &["1 refused std::sync::Mutex"]),
    (
        "atomics",
        "use std::sync::atomic::{AtomicU64, Ordering};",
        &["1 refused std::sync::atomic::AtomicU64", "1 refused std::sync::atomic::Ordering"],
    ),
    (
        "core atomics",
        "use core::sync::atomic::AtomicBool;",
        &["1 refused core::sync::atomic::AtomicBool"],
    ),
    ("channels", "use std::sync::mpsc::channel;", &["1 refused std::sync::mpsc::channel"]),
    ("OnceLock", "fn f(_: std::sync::OnceLock<u8>) {}", &["1 refused std::sync::OnceLock"]),
    ("HashMap", "use std::collections::HashMap;", &["1 refused std::collections::HashMap"]),
    ("RandomState", "use std::hash::RandomState;", &["1 refused std::hash::RandomState"]),
    ("files", "fn f() { std::fs::read(\"x\").ok(); }", &["1 refused std::fs::read"]),
    ("process", "fn f() { std::process::exit(0); }", &["1 refused std::process::exit"]),
    ("sockets", "use std::net::TcpStream;", &["1 refused std::net::TcpStream"]),
    ("environment", "fn f() { std::env::var(\"X\").ok(); }", &["1 refused std::env::var"]),
    (
        "current directory",
        "fn f() { std::env::set_current_dir(\"x\").ok(); }",
        &["1 refused std::env::set_current_dir"],
    ),
    (
        "panic hook",
        "fn f() { std::panic::set_hook(Box::new(|_| {})); }",
        &["1 refused std::panic::set_hook"],
    ),
    ("catch_unwind", "use std::panic::catch_unwind;", &["1 refused std::panic::catch_unwind"]),
    ("park", "fn f() { std::thread::park(); }", &["1 refused std::thread::park"]),
    (
        "log level",
        "fn f() { log::set_max_level(log::LevelFilter::Off); }",
        &["1 refused log::LevelFilter::Off", "1 refused log::set_max_level"],
    ),
    ("forget", "fn f() { std::mem::forget(1); }", &["1 refused std::mem::forget"]),
    ("transmute", "use std::mem::transmute;", &["1 refused std::mem::transmute"]),
    ("the simulation", "fn f() { labrpc::run(|| {}); }", &["1 refused labrpc::run"]),
    (
        "the network",
        "use labrpc::{Network, Settings, note, without_watchdog};",
        &[
            "1 refused labrpc::Network",
            "1 refused labrpc::Settings",
            "1 refused labrpc::note",
            "1 refused labrpc::without_watchdog",
        ],
    ),
    ("labrpc's sockets", "use labrpc::socket::Listener;", &["1 refused labrpc::socket::Listener"]),
    ("rand's generator", "fn f() { rand::rng(); }", &["1 refused rand::rng"]),
    ("tokio", "fn f() { tokio::spawn(async {}); }", &["1 refused tokio::spawn"]),
    ("libc", "use libc::fork;", &["1 refused libc::fork"]),
    (
        "type position",
        "struct A { x: std::sync::Mutex<u8>, y: Vec<std::thread::Thread> }",
        &["1 refused std::sync::Mutex", "1 refused std::thread::Thread"],
    ),
    (
        "trait bound",
        "fn f<T: std::io::Read>() where T: std::os::fd::AsFd {}",
        &["1 refused std::io::Read", "1 refused std::os::fd::AsFd"],
    ),
    (
        "pattern",
        "fn f(x: X) { if let std::net::IpAddr::V4(_) = x {} }",
        &["1 refused std::net::IpAddr::V4"],
    ),
    ("io::Write", "use std::io::Write;", &["1 flagged std::io::Write"]),
    ("future", "use std::future::Future;", &["1 flagged std::future::Future"]),
];

#[test]
fn what_is_refused_by_its_full_path() {
    check_rows("raft", WHAT_IS_REFUSED_BY_ITS_FULL_PATH);
}

const WHAT_IS_REFUSED_UNDER_ANOTHER_NAME: &[Row] = &[
    (
        "renamed module",
        "use std::thread as t;\nfn f() { t::spawn(|| {}); }",
        &["1 refused std::thread", "2 refused std::thread::spawn"],
    ),
    (
        "renamed function",
        "use std::thread::spawn as go;\nfn f() { go(|| {}); }",
        &["1 refused std::thread::spawn"],
    ),
    (
        "renamed crate",
        "use std as s;\nfn f() { s::thread::spawn(|| {}); }",
        &["2 refused std::thread::spawn"],
    ),
    (
        "in capitals",
        "use std::sync as S;\nfn f() { S::Mutex::new(1); }",
        &["2 refused std::sync::Mutex::new"],
    ),
    (
        "nested groups",
        "use std::{fmt, sync::{Arc, mpsc::{self as m}}, {time::{Instant as I}}};",
        &["1 refused std::sync::mpsc", "1 refused std::time::Instant"],
    ),
    (
        "self in a group",
        "use std::thread::{self};\nfn f() { thread::yield_now(); }",
        &["1 refused std::thread", "2 refused std::thread::yield_now"],
    ),
    (
        "glob of std",
        "use std::*;\nfn f() { thread::spawn(|| {}); }",
        &["1 refused std::*", "2 refused std::thread::spawn"],
    ),
    (
        "glob of a module",
        "use std::sync::*;\nfn f() { Mutex::new(1); }",
        &["1 refused std::sync::*", "2 refused std::sync::Mutex::new"],
    ),
    ("glob of what is refused", "use std::thread::*;", &["1 refused std::thread::*"]),
    ("glob of labrpc", "use labrpc::*;", &["1 refused labrpc::*"]),
    (
        "through two names",
        "use std as a; use a::sync as b; use b::Mutex as c;",
        &["1 refused std::sync::Mutex"],
    ),
    (
        "re-export",
        "mod x { pub use std::thread; }\nfn f() { x::thread::spawn(|| {}); }",
        &["1 refused std::thread", "2 refused std::thread::spawn"],
    ),
    (
        "re-export of a part",
        "mod x { pub use std::sync as s; }\nfn f() { x::s::Mutex::new(1); }",
        &["2 refused std::sync::Mutex::new"],
    ),
    (
        "re-export by crate",
        "mod x { pub mod y { pub use std::sync as s; } }\nuse crate::x::y::s::RwLock;",
        &["2 refused std::sync::RwLock"],
    ),
    (
        "re-export by glob",
        "mod x { pub use std::sync; }\nuse x::*;\nfn f() { sync::Mutex::new(1); }",
        &["3 refused std::sync::Mutex::new"],
    ),
    (
        "re-export by super",
        "use std::sync as s;\nmod x { use super::*; fn f() { s::Mutex::new(1); } }",
        &["2 refused std::sync::Mutex::new"],
    ),
    (
        "import in a function",
        "fn f() {\n use std::sync as s;\n s::Barrier::new(1);\n}",
        &["3 refused std::sync::Barrier::new"],
    ),
    (
        "type alias",
        "type M = std::sync::Mutex<u8>;\nfn f() { M::new(1); }",
        &["1 refused std::sync::Mutex"],
    ),
    ("circle of names", "use self::a as b; use self::b as a;\nfn f() { a::c(); }", &[]),
    ("Box::leak", "fn f() { Box::leak(Box::new(1)); }", &["1 refused std::boxed::Box::leak"]),
    (
        "leak of an alias",
        "type B = Box<u8>;\nfn f(x: B) { B::leak(x); }",
        &["2 refused std::boxed::Box::leak"],
    ),
    (
        "leak of a type",
        "fn f(x: Box<u8>) { <Box<u8>>::leak(x); }",
        &["1 refused std::boxed::Box::leak"],
    ),
    ("leak as a method", "fn f(x: Vec<u8>) { x.leak(); }", &["1 flagged leak"]),
    (
        "into_raw",
        "use std::sync::Arc as A;\nfn f(x: A<u8>) { A::into_raw(x); }",
        &["2 refused std::sync::Arc::into_raw"],
    ),
    (
        "as a value",
        "fn f() { let go = std::thread::spawn::<fn(), ()>; }",
        &["1 refused std::thread::spawn"],
    ),
];

#[test]
fn what_is_refused_under_another_name() {
    check_rows("kvraft", WHAT_IS_REFUSED_UNDER_ANOTHER_NAME);
}

const DEFINITIONS_HIDE_NO_CRATE: &[Row] = &[
    (
        "function",
        "fn std() {}\nfn f() { std::thread::spawn(|| {}); }",
        &["2 refused std::thread::spawn"],
    ),
    (
        "module in a function",
        "fn f() { mod std {} }\nfn g() { std::fs::write(\"x\", \"y\").ok(); }",
        &["2 refused std::fs::write"],
    ),
    (
        "module for tests",
        "#[cfg(test)] mod core {}\nfn f() { core::arch::x(); }",
        &["2 refused core::arch::x"],
    ),
    (
        "constant",
        "const labrpc: u8 = 1;\nfn f() { labrpc::run(|| {}); }",
        &["2 refused labrpc::run"],
    ),
    (
        "import",
        "mod a { pub fn rand() {} }\nuse a::rand;\nfn f() { rand::rng(); }",
        &["3 refused rand::rng"],
    ),
    (
        "import under another name",
        "mod a { pub fn b() {} }\nuse a::b as std;\nuse std::thread;",
        &["3 refused std::thread"],
    ),
    (
        "type",
        "type std = u8;\nfn f() { std::process::exit(0); }",
        &["2 refused std::process::exit"],
    ),
    ("generic parameter", "fn f<std>() { std::process::id(); }", &["1 refused std::process::id"]),
    (
        "definition in a macro",
        "macro_rules! none { ($($t:tt)*) => {}; }\nnone! { fn std() {} }\nuse std::fs;",
        &["2 refused std", "3 refused std::fs"],
    ),
    (
        "type of the prelude",
        "fn Box() {}\nfn f() { Box::leak(Vec::new()); }",
        &["2 refused std::boxed::Box::leak"],
    ),
    (
        "module log",
        "mod log { pub struct Entry; }\nfn f(_: log::Entry) { log::set_max_level(x); }",
        &["2 refused log::set_max_level"],
    ),
    (
        "import of log",
        "mod a { pub mod log {} }\nuse a::log;\nuse log::set_max_level;",
        &["3 refused log::set_max_level"],
    ),
    (
        "glob beside a function",
        "mod a { pub use std::sync as s; }\nuse a::*;\nfn s() {}\nfn f() { s::Mutex::new(1); }",
        &["4 refused std::sync::Mutex::new"],
    ),
    (
        "prelude",
        "use std::prelude::v1::include_str as text;",
        &["1 refused std::prelude::v1::include_str"],
    ),
    ("prelude by glob", "use std::prelude::v1::*;", &["1 refused std::prelude::v1::*"]),
    (
        "leak of an associated type",
        "trait A { type B; }\nfn f<T: A<B = Box<u8>>>(x: Box<u8>) { <T as A>::B::leak(x); }",
        &["2 refused leak", "2 flagged leak"],
    ),
    (
        "leak by Self",
        "trait A { fn a(self); }\nimpl A for Box<u8> { fn a(self) { Self::leak(self); } }",
        &["2 refused std::boxed::Box::leak", "2 flagged leak"],
    ),
];

#[test]
fn definitions_hide_no_crate() {
    check_rows("shardkv", DEFINITIONS_HIDE_NO_CRATE);
}
