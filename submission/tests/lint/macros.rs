//! Macros: their definitions, their arguments, and their names.

use crate::{Row, check_rows};

const WHAT_IS_ALLOWED: &[Row] = &[
    ("own macro", "macro_rules! m { ($x:expr) => { $x + 1 }; }\nfn f() { m!(1); }", &[]),
    (
        "own macro of a crate",
        "macro_rules! m { () => { $crate::g() }; }\nfn g() {} fn f() { m!(); }",
        &[],
    ),
    (
        "paths in arguments",
        "fn f() { assert_eq!(std::mem::take(&mut 1), u8::MAX, \"{}\", Vec::<u8>::new().len()); }",
        &[],
    ),
    (
        "variables named as crates",
        "fn f(raft: u8, log: u8) { format!(\"{}{}\", raft, log); assert!(raft.log()); }",
        &[],
    ),
    ("matches", "fn f(x: Option<u8>) { matches!(x, Some(1..=2) | None); }", &[]),
    ("lifetime", "macro_rules! m { ($x:ident) => { const $x: &'static str = \"x\"; }; }", &[]),
    (
        "negations",
        "macro_rules! m { ($a:expr, $($b:expr),*) => { $a != 1 && !$a $(&& !$b)* && !($a) }; }",
        &[],
    ),
    ("format string", "fn f() { println!(\"std::thread::spawn {}\", 1); }", &[]),
    ("macro by path", "fn f() { std::println!(\"x\"); core::assert!(true); }", &[]),
];

#[test]
fn what_is_allowed() {
    check_rows("raft", WHAT_IS_ALLOWED);
}

const WHAT_IS_REFUSED: &[Row] = &[
    (
        "in an argument",
        "fn f() {\n assert!(\n  std::thread::spawn(|| {}).join().is_ok());\n}",
        &["3 refused std::thread::spawn"],
    ),
    (
        "by an alias in an argument",
        "use std::sync as s;\nfn f() { dbg!(s::Mutex::new(1)); }",
        &["2 refused std::sync::Mutex::new"],
    ),
    (
        "in nested arguments",
        "fn f() { vec![dbg!({ std::fs::read(\"x\") })]; }",
        &["1 refused std::fs::read"],
    ),
    (
        "in a definition",
        "macro_rules! go { ($x:expr) => {\n std::thread::spawn($x) }; }",
        &["2 refused std::thread::spawn"],
    ),
    (
        "import in a definition",
        "macro_rules! m { () => { use std::thread; }; }",
        &["1 refused std::thread"],
    ),
    (
        "module in a definition",
        "macro_rules! m { () => { use std::sync as S; }; }\nm!();\nfn f() { S::Mutex::new(1); }",
        &["1 refused std::sync"],
    ),
    (
        "tree in a definition",
        "macro_rules! m { () => { use std::{sync::Arc, thread}; }; }",
        &["1 refused std::thread"],
    ),
    (
        "glob in a definition",
        "macro_rules! m { () => { use std::thread::*; }; }",
        &["1 refused std::thread::*"],
    ),
    (
        "path in pieces",
        "macro_rules! m { ($a:ident) => { std::$a::spawn(|| {}) }; }\nfn f() { m!(thread); }",
        &["1 refused $a::", "1 refused std::"],
    ),
    (
        "pieces from a variable",
        "macro_rules! m { ($a:path) => { $a::spawn(|| {}) }; }",
        &["1 refused $a::"],
    ),
    (
        "pieces by repetition",
        "macro_rules! m { ($($a:ident)*) => { $($a)::*(|| {}) }; }",
        &["1 refused ::"],
    ),
    ("import in pieces", "macro_rules! m { ($a:path) => { use $a as X; }; }", &["1 refused use"]),
    (
        "crate as an argument",
        "macro_rules! m { ($a:ident) => { 1 }; }\nfn f() { m!(std); }",
        &["2 refused std"],
    ),
    (
        "dangling colons",
        "macro_rules! m { ($($a:tt)*) => { $($a)* }; }\nfn f() { m!([std::] [thread]); }",
        &["2 refused std::"],
    ),
    (
        "lint in a macro",
        "macro_rules! m { () => { #[allow(long_running_const_eval)] const X: u8 = 1; }; }",
        &["1 refused long_running_const_eval"],
    ),
    ("unsafe in a macro", "macro_rules! m { () => { unsafe { 1 } }; }", &["1 refused unsafe"]),
    ("static in a macro", "macro_rules! m { () => { static X: u8 = 1; }; }", &["1 refused static"]),
    ("leak in a macro", "fn f() { dbg!(Box::<u8>::leak(Box::new(1))); }", &["1 refused leak"]),
    ("include", "fn f() { include!(\"/etc/passwd\"); }", &["1 refused include!"]),
    (
        "include_str in a macro",
        "fn f() { println!(\"{}\", include_str!(\"x\")); }",
        &["1 refused include_str!"],
    ),
    (
        "include_bytes",
        "const X: &[u8] = include_bytes!(\"/dev/zero\");",
        &["1 refused include_bytes!"],
    ),
    (
        "include in a definition",
        "macro_rules! m { ($f:expr) => { include!($f) }; }",
        &["1 refused include!"],
    ),
    (
        "include by path",
        "const X: &str = std::include_str!(\"x\");",
        &["1 refused std::include_str"],
    ),
    (
        "include by a variable",
        "macro_rules! m { ($n:ident, $a:tt) => { $n!$a }; }\nconst X: &str = m!(include_str, (\"x\"));",
        &["1 refused $n!", "2 refused include_str!"],
    ),
    (
        "include by repetition",
        "macro_rules! m { ($($n:ident)*) => { $($n)*!(\"x\") }; }",
        &["1 refused !"],
    ),
    (
        "include without its arguments",
        "macro_rules! m { ($($n:tt)*) => { $($n)*(\"x\") }; }\nconst X: &str = m!(include_str!);",
        &["2 refused include_str!"],
    ),
    (
        "env",
        "const X: &str = env!(\"HOME\"); const Y: Option<&str> = option_env!(\"HOME\");",
        &["1 refused env!", "1 refused option_env!"],
    ),
    (
        "thread_local",
        "thread_local! { static X: u8 = 1; }",
        &["1 refused static", "1 refused thread_local!"],
    ),
    (
        "asm",
        "fn f() { core::arch::asm!(\"nop\"); asm!(\"nop\"); }",
        &["1 refused asm!", "1 refused core::arch::asm"],
    ),
    (
        "built-in macro of a path",
        "const X: u8 = std::prelude::v1::include!(\"x\");",
        &["1 refused std::prelude::v1::include"],
    ),
    (
        "function named as a macro",
        "fn include_str() {}\nconst X: &str = include_str!(\"x\");",
        &["2 refused include_str!"],
    ),
    (
        "macro named as a macro",
        "mod a { macro_rules! include_str { () => {}; } }\nconst X: &str = include_str!(\"x\");",
        &["2 refused include_str!"],
    ),
    (
        "macro as an argument",
        "macro_rules! m { ($m:ident) => { $m!(\"x\") }; }\nfn f() { m!(include_str); }",
        &["1 refused !", "1 refused $m!", "2 refused include_str!"],
    ),
    ("macro in pieces", "macro_rules! m { ($($m:tt)*) => { $($m)*!(1) }; }", &["1 refused !"]),
    (
        "module in a macro",
        "macro_rules! m { () => { mod evil; }; }\nm! { #[cfg(test)] mod evil; }",
        &["1 refused mod", "2 refused mod"],
    ),
    (
        "pieces in another order",
        "macro_rules! m { () => {}; } fn spawn() {}\nfn f() { m!(spawn :: thread :: std); m!(run :: labrpc); }",
        &["2 refused run::labrpc", "2 refused run::labrpc", "2 refused spawn::thread::std"],
    ),
    (
        "alias as a piece",
        "use std as s;\nfn f() { m!(a::b::c s thread spawn); m!(crate::s); m!(labrpc); }",
        &[
            "2 refused a::b::c",
            "2 refused crate::s",
            "2 refused labrpc",
            "2 refused m!",
            "2 refused s",
        ],
    ),
    (
        "path in a text",
        "m! { #[derive(Serialize)] struct A { #[serde(default = r\"std::process::id\")] y: u32 } }",
        &["1 refused m!", "1 refused std::process::id"],
    ),
    ("address in a text", "fn f(x: &u8) { format!(\"{x:p}\"); }", &["1 flagged {:p}"]),
    (
        "log's state",
        "fn f() { if log::log_enabled!(log::Level::Info) {} }",
        &["1 refused log::log_enabled", "1 flagged log::Level::Info"],
    ),
];

#[test]
fn what_is_refused() {
    check_rows("raft", WHAT_IS_REFUSED);
}
