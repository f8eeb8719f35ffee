//! What a student hands in: which code it may contain, which files belong to it, and how it travels.
//!
//! `cargo lab lint`, `cargo lab pack` and the grader use the same code, so a student sees at home
//! what the grader will say.
//!
//! ```
//! use submission::lint::{Severity, Source, check};
//!
//! let contents = b"use std::thread as t;\n\npub fn start() {\n    t::spawn(|| {});\n}\n".to_vec();
//! let findings = check("raft", &[Source { path: "raft/src/lib.rs".into(), contents }]);
//! assert_eq!(
//!     findings[1].to_string(),
//!     "raft/src/lib.rs:4: refused: t::spawn, which is std::thread::spawn (use labrpc::spawn)"
//! );
//! assert!(findings.iter().all(|finding| finding.severity == Severity::Refused));
//! ```
//!
//! | module | contents |
//! |---|---|
//! | [`lint`] | checks sources against the list of what they may name |
//! | [`tree`] | the files of a submission, and the hash that names them |
//! | [`archive`] | packs a submission, and unpacks one that is not trusted |
//! | [`similar`] | recognizes files that are the same apart from comments and layout |
//! | [`release`] | the files of the course that a student must not edit |

pub mod archive;
mod error;
pub mod lint;
pub mod release;
pub mod similar;
pub mod tree;

pub use crate::error::Error;

/// Where the code of a lab runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum World {
    /// In the simulation, where all that it does must follow from the seed.
    Simulated,
    /// In the simulation, on servers that have disks and addresses.
    SimulatedDisks,
    /// In processes of the operating system.
    Processes,
}

impl World {
    /// The world of a source, `<lab>/src/...`. Sources of unknown labs are simulated, which is the
    /// strictest world.
    pub fn of(lab: &str, path: &str) -> Self {
        let inside = path.strip_prefix(lab).and_then(|rest| rest.strip_prefix("/src/"));
        let is_given = inside.is_some_and(|it| it == "given.rs" || it.starts_with("given/"));
        match lab {
            "mapreduce" => World::Processes,
            // The course's part of the lab has the program; the grader takes its own copy of it.
            "pbservice" if is_given => World::Processes,
            "pbservice" => World::SimulatedDisks,
            _ => World::Simulated,
        }
    }
}
