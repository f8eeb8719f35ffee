//! Language constructs and attributes.

use crate::{Row, check_rows};

const CONSTRUCTS: &[Row] = &[
    ("unsafe block", "fn f() {\n unsafe { g() }\n}", &["2 refused unsafe"]),
    ("unsafe fn", "unsafe fn f() {}", &["1 refused unsafe"]),
    ("unsafe impl", "struct A; unsafe impl Send for A {}", &["1 refused unsafe"]),
    ("unsafe trait", "unsafe trait A {}", &["1 refused unsafe"]),
    ("extern block", "unsafe extern \"C\" { fn fork() -> i32; }", &["1 refused extern block"]),
    ("extern fn", "extern \"C\" fn f() {}", &["1 refused extern"]),
    ("extern crate", "extern crate alloc;", &["1 refused extern crate alloc"]),
    ("static", "static X: u8 = 1;", &["1 refused static X"]),
    ("static in a function", "fn f() { static X: u8 = 1; }", &["1 refused static X"]),
    ("const", "const X: u8 = 1; fn f() -> &'static str { \"x\" }", &[]),
    (
        "raw pointer",
        "fn f(x: &u8) { let _ = x as *const u8 as usize; }",
        &["1 flagged a raw pointer"],
    ),
    ("path attribute", "#[path = \"/solution/raft.rs\"]\nmod raft;", &["1 refused #[path]"]),
    ("path behind cfg_attr", "#[cfg_attr(all(), path = \"x.rs\")] mod x;", &["1 refused #[path]"]),
    ("feature", "#![feature(asm)]", &["1 refused #[feature]"]),
    ("no_mangle", "#[unsafe(no_mangle)] fn f() {}", &["1 refused #[unsafe]"]),
    (
        "global allocator",
        "#[global_allocator] static A: X = X;",
        &["1 refused #[global_allocator]", "1 refused static A"],
    ),
    ("cfg", "#[cfg(debug_assertions)] fn f() {}", &["1 flagged #[cfg]"]),
    ("not in tests", "#[cfg(not(test))] fn f() {}", &["1 flagged #[cfg]"]),
    ("doc of a file", "#![doc = include_str!(\"../README.md\")]", &["1 refused include_str!"]),
    ("derive by path", "#[derive(serde::Serialize, Clone)] struct A;", &[]),
    (
        "serde with a path",
        "#[derive(serde::Serialize)] struct A { #[serde(with = \"serde_bytes\")] x: Vec<u8>, #[serde(default = \"std::process::id\")] y: u32 }",
        &["1 refused std::process::id"],
    ),
    (
        "serde with a raw path",
        "#[derive(serde::Serialize)] struct A { #[serde(default = r#\"std::process::id\"#)] y: u32 }",
        &["1 refused std::process::id"],
    ),
    ("lints", "#![allow(dead_code, reason = \"x\")] #[must_use] #[inline] fn f() {}", &[]),
    (
        "endless constant",
        "#[allow(dead_code, long_running_const_eval)] const X: u8 = 1;",
        &["1 refused long_running_const_eval"],
    ),
    ("clippy", "#[allow(clippy::too_many_lines)] #[rustfmt::skip] fn f() {}", &[]),
    (
        "in tests",
        "#[cfg(test)] mod tests { use std::thread; #[test] fn f() { unsafe {} } }",
        &["1 flagged std::thread", "1 flagged unsafe"],
    ),
    ("beside tests", "#[cfg(test)] mod tests {}\nuse std::thread;", &["2 refused std::thread"]),
    (
        "perhaps in tests",
        "#[cfg(any(test, unix))] mod tests { use std::fs; }",
        &["1 refused std::fs", "1 flagged #[cfg]"],
    ),
    ("comments", "//! std::thread::spawn\n/// std::fs::read\nfn f() {} // unsafe", &[]),
];

#[test]
fn constructs() {
    check_rows("shardctrler", CONSTRUCTS);
}

#[test]
fn a_line_says_what_to_use_instead() {
    let contents =
        b"use std::thread as t;\nfn f() { t::spawn(|| {}); std::thread::sleep(d); }".to_vec();
    let source = submission::lint::Source { path: "raft/src/raft.rs".to_string(), contents };
    let findings = submission::lint::check("raft", &[source]);
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "raft/src/raft.rs:1: refused: std::thread (use labrpc::spawn)",
            "raft/src/raft.rs:2: refused: std::thread::sleep (use labrpc::sleep)",
            "raft/src/raft.rs:2: refused: t::spawn, which is std::thread::spawn (use labrpc::spawn)",
        ]
    );
}
