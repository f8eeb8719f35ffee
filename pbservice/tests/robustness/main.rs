//! What the reference keeps beyond what the paper or the guide promises: whatever an operator does
//! with a server's directory, nothing that was acknowledged is lost without a word.
//!
//! These tests have no points, and are not part of the handout.

#[allow(dead_code, reason = "the grading tests use the rest")]
#[path = "../grading/cluster.rs"]
mod cluster;
mod emptied;
mod forks;
mod identity;
mod limits;
mod naive;
#[allow(dead_code, reason = "the program's tests use the rest")]
#[path = "../program/processes.rs"]
mod processes;
mod slow_link;

use std::fs;
use std::path::Path;

use crate::processes::Processes;

/// Exit code: a server that must not go on.
const FAILED: i32 = 1;
/// Exit code: no primary has served in time.
const TIMED_OUT: i32 = 2;
/// Exit code: something that cannot be used.
const USAGE: i32 = 5;

/// Copies the files of a directory into a new one.
fn copy_directory(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the directory is ours");
    for entry in fs::read_dir(from).expect("it is there") {
        let entry = entry.expect("it can be read");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("there is room");
    }
}

/// All files of a server, by name.
fn files(servers: &Processes, server: usize) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(servers.directory(server)).expect("it is there");
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.expect("it can be read").path();
        (path.display().to_string(), fs::read(&path).expect("it can be read"))
    };
    let mut files: Vec<_> = entries.map(read).collect();
    files.sort();
    files
}
